//! Which datasets servers have.

use std::sync::Arc;

use futures::future::join_all;
use headwater_wire::{ServedDataset, proto};
use tokio::time::{Instant, sleep, timeout_at};
use tonic::Code;

use crate::address::ServerAddress;
use crate::connection::Server;
use crate::describe::{self, UNHEARD, UNREACHED};
use crate::error::ClientError;
use crate::named::check_named;
use crate::options::ClientOptions;
use crate::patience::Patience;
use crate::trouble::Trouble;

/// What one server says of its datasets.
#[derive(Clone, Debug)]
pub struct ServerDatasets {
    /// The server.
    pub server: ServerAddress,
    /// The server's datasets, in the order in which it was given them; or why it does not say them.
    pub datasets: Result<Vec<ServedDataset>, ClientError>,
}

/// Most datasets of one server that are taken.
const MAX_DATASETS: usize = 4096;

/// Asks every server which datasets it has, in the order of the servers. A server that does not answer says so beside
/// the others; it is waited for as long as [`Retry::connect_for`](crate::Retry::connect_for) says.
///
/// # Errors
/// No server, or one twice.
pub async fn datasets(servers: &[ServerAddress], options: &ClientOptions) -> Result<Vec<ServerDatasets>, ClientError> {
    check_named(servers)?;
    let asked = (0..).zip(servers).map(|(task, address)| async move {
        let datasets = ask_patiently(address, options, task).await;
        ServerDatasets { server: address.clone(), datasets }
    });
    Ok(join_all(asked).await)
}

async fn ask_patiently(
    address: &ServerAddress,
    options: &ClientOptions,
    task: u64,
) -> Result<Vec<ServedDataset>, ClientError> {
    let server = Server::new(address.clone(), None, Arc::default(), 1)?;
    let mut patience = Patience::for_description(&server, &options.retry, task);
    loop {
        let end = Instant::now() + patience.one_try();
        let trouble = match ask(&server, end).await {
            Ok(list) => return read(list).map_err(|problem| server.protocol(problem)),
            Err(trouble) => trouble,
        };
        if let Some(mistake) = describe::mistake(&server, &trouble).await {
            return Err(mistake);
        }
        sleep(patience.bear(trouble)?).await;
    }
}

async fn ask(server: &Server, end: Instant) -> Result<proto::DatasetList, Trouble> {
    let client = timeout_at(end, server.connect()).await.map_err(|_| Trouble::Silent(UNREACHED))??;
    let answer = timeout_at(end, client.datasets().list_datasets(proto::ListDatasetsRequest {})).await;
    let response = answer.map_err(|_| Trouble::Silent(UNHEARD))?.map_err(|status| match status.code() {
        Code::Unimplemented => Trouble::Lasting(ClientError::NoDatasetList(server.address().clone())),
        _ => server.judge(&status),
    })?;
    Ok(response.into_inner())
}

fn read(list: proto::DatasetList) -> Result<Vec<ServedDataset>, String> {
    match list.datasets.len() {
        many if many > MAX_DATASETS => Err(format!("{many} datasets are more than {MAX_DATASETS}")),
        _ => list
            .datasets
            .into_iter()
            .map(|dataset| ServedDataset::try_from(dataset).map_err(|invalid| invalid.to_string()))
            .collect(),
    }
}
