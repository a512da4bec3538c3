//! One question to a server as a whole, asked until it answers or the patience ends.

use std::sync::Arc;

use tokio::time::{Instant, sleep, timeout_at};
use tonic::{Code, Response, Status};

use crate::connection::{Client, Server};
use crate::describe::{self, UNHEARD, UNREACHED};
use crate::error::ClientError;
use crate::options::ClientOptions;
use crate::patience::Patience;
use crate::trouble::Trouble;
use headwater_discovery::ServerAddress;

/// Asks a server with this request by this call, and reads its answer. `too_old` is the error where the server does not
/// know the call.
///
/// # Errors
/// A server that cannot be reached in the time that the options say, that refuses, or that answers what cannot be read.
pub(crate) async fn inquire<R: Clone, M, T>(
    address: &ServerAddress,
    options: &ClientOptions,
    task: u64,
    (request, call): (R, impl AsyncFn(&Client, R) -> Result<Response<M>, Status>),
    too_old: ClientError,
    read: impl FnOnce(M) -> Result<T, String>,
) -> Result<T, ClientError> {
    let server = Server::new(address.clone(), options.access.clone(), None, Arc::default(), 1)?;
    let mut patience = Patience::for_description(server.address(), &options.retry, task);
    loop {
        let end = Instant::now() + patience.one_try();
        let trouble = match ask(&server, (request.clone(), &call), end).await {
            Ok(Some(answer)) => return read(answer).map_err(|problem| server.protocol(problem)),
            Ok(None) => return Err(too_old),
            Err(trouble) => trouble,
        };
        if let Some(mistake) = describe::mistake(&server, &trouble).await {
            return Err(mistake);
        }
        sleep(patience.bear(trouble)?).await;
    }
}

/// One try; `None` where the server does not know the call.
async fn ask<R, M>(
    server: &Server,
    (request, call): (R, &impl AsyncFn(&Client, R) -> Result<Response<M>, Status>),
    end: Instant,
) -> Result<Option<M>, Trouble> {
    let client = timeout_at(end, server.connect()).await.map_err(|_| Trouble::Silent(UNREACHED))??;
    match timeout_at(end, call(&client, request)).await.map_err(|_| Trouble::Silent(UNHEARD))? {
        Ok(response) => Ok(Some(response.into_inner())),
        Err(status) if status.code() == Code::Unimplemented => Ok(None),
        Err(status) => Err(server.judge(&status)),
    }
}
