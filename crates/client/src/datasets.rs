//! Which datasets servers have.

use futures::future::join_all;
use headwater_wire::{ServedDataset, proto};

use crate::connection::Client;
use crate::error::ClientError;
use crate::inquiry::inquire;
use crate::named::check_named;
use crate::options::ClientOptions;
use headwater_discovery::ServerAddress;

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
        let datasets = ask(address, options, task).await;
        ServerDatasets { server: address.clone(), datasets }
    });
    Ok(join_all(asked).await)
}

async fn ask(address: &ServerAddress, options: &ClientOptions, task: u64) -> Result<Vec<ServedDataset>, ClientError> {
    let too_old = ClientError::NoDatasetList(address.clone());
    let call = async |client: &Client, request| client.datasets().list_datasets(request).await;
    inquire(address, options, task, (proto::ListDatasetsRequest {}, call), too_old, read).await
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
