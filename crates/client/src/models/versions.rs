//! Which versions one server has, and which of them is to serve.

use std::sync::Arc;

use headwater_types::ModelName;
use headwater_wire::models::{Activate, Activation, ModelStanding};
use headwater_wire::proto;
use headwater_wire::status::Invalid;
use tokio::time::{sleep, timeout};
use tonic::{Response, Status};

use crate::connection::{Client, Server};
use crate::error::ClientError;
use crate::inquiry::inquire;
use crate::options::ClientOptions;
use crate::patience::Patience;
use crate::trouble::Trouble;
use headwater_discovery::ServerAddress;

/// Asks a server which versions of a name it has.
///
/// # Errors
/// A server that cannot be reached in the time that the options say, or that is too old.
pub async fn model_standing(
    address: &ServerAddress,
    name: &ModelName,
    options: &ClientOptions,
    task: u64,
) -> Result<ModelStanding, ClientError> {
    let call = async |client: &Client, request| client.models().ask_versions(request).await;
    let too_old = ClientError::NoModelVersions(address.clone());
    let read = |versions: proto::ModelVersions| {
        ModelStanding::try_from(versions).map_err(|invalid: Invalid| invalid.to_string())
    };
    let request = proto::AskVersionsRequest { name: name.to_string() };
    inquire(address, options, task, (request, call), too_old, read).await
}

/// Has a version serve on a server from now on. The server opens and runs it before, which takes seconds.
///
/// # Errors
/// A server that refuses, or stays silent for longer than the options' patience.
pub async fn activate_model(
    address: &ServerAddress,
    activate: &Activate,
    options: &ClientOptions,
    task: u64,
) -> Result<Activation, ClientError> {
    let request = || proto::ActivateModelRequest::from(activate.clone());
    let call = async |client: &Client| client.models().activate_model(request()).await;
    ask(address, options, task, call).await
}

/// Has the version before serve again on a server.
///
/// # Errors
/// As [`activate_model`].
pub async fn roll_back_model(
    address: &ServerAddress,
    activate: &Activate,
    options: &ClientOptions,
    task: u64,
) -> Result<Activation, ClientError> {
    let request = || proto::RollBackModelRequest::from(activate.clone());
    let call = async |client: &Client| client.models().roll_back_model(request()).await;
    ask(address, options, task, call).await
}

/// Asks until there is an answer: the same activation twice is one.
async fn ask(
    address: &ServerAddress,
    options: &ClientOptions,
    task: u64,
    call: impl AsyncFn(&Client) -> Result<Response<proto::Activation>, Status>,
) -> Result<Activation, ClientError> {
    let retry = options.retry.clone().consistent();
    let server = Server::new(address.clone(), options.access.clone(), None, Arc::default(), 1)?;
    let mut patience = Patience::for_answer(server.address(), &retry, task);
    loop {
        let tried = async {
            let client = server.connect().await?;
            Ok(call(&client).await.map_err(|status| server.judge(&status))?.into_inner())
        };
        let answer = timeout(retry.stall, tried).await;
        match answer.unwrap_or(Err(Trouble::Silent("it says nothing of the version that is to serve"))) {
            Ok(answer) => {
                return Activation::try_from(answer).map_err(|invalid: Invalid| server.protocol(invalid.to_string()));
            }
            Err(trouble) => sleep(patience.bear(trouble)?).await,
        }
    }
}
