//! Which labellings servers have under way, and what is to become of them.

use futures::future::{join_all, try_join_all};
use headwater_wire::labels::{ControlLabelling, Labelling};
use headwater_wire::proto;

use crate::connection::Client;
use crate::error::ClientError;
use crate::inquiry::inquire;
use crate::named::check_named;
use crate::options::ClientOptions;
use headwater_discovery::ServerAddress;

/// What one server says of its labellings.
#[derive(Clone, Debug)]
pub struct ServerLabellings {
    /// The server.
    pub server: ServerAddress,
    /// The server's labellings since its start, or why it does not say them.
    pub labellings: Result<Vec<Labelling>, ClientError>,
}

/// Most labellings that are taken from a server.
const MAX_LABELLINGS: usize = 65_536;

/// Asks every server for its labellings, in the order of the servers. A server that does not answer says so beside the
/// others.
///
/// # Errors
/// No server, or one twice.
pub async fn labellings(
    servers: &[ServerAddress],
    options: &ClientOptions,
) -> Result<Vec<ServerLabellings>, ClientError> {
    check_named(servers)?;
    let asked = (0..).zip(servers).map(|(task, address)| async move {
        let labellings = of_server(address, options, task).await;
        ServerLabellings { server: address.clone(), labellings }
    });
    Ok(join_all(asked).await)
}

/// What one server has under way. It waits for a server that starts.
pub(super) async fn of_server(
    address: &ServerAddress,
    options: &ClientOptions,
    task: u64,
) -> Result<Vec<Labelling>, ClientError> {
    let call = async |client: &Client, request| client.labels().list_labellings(request).await;
    let too_old = ClientError::NoLabelCalls(address.clone());
    let read_all = |list: proto::LabellingList| match list.labellings.len() {
        many if many > MAX_LABELLINGS => Err(format!("{many} labellings are more than {MAX_LABELLINGS}")),
        _ => list.labellings.into_iter().map(read).collect(),
    };
    inquire(address, options, task, (proto::ListLabellingsRequest {}, call), too_old, read_all).await
}

/// Pauses, resumes or cancels a labelling on every server, and says how it is then.
///
/// # Errors
/// No server, or one twice; a server that cannot be reached, or that has no such labelling.
pub async fn control_labelling(
    servers: &[ServerAddress],
    control: &ControlLabelling,
    options: &ClientOptions,
) -> Result<Vec<(ServerAddress, Labelling)>, ClientError> {
    check_named(servers)?;
    let told = (0..).zip(servers).map(|(task, address)| async move {
        let request = proto::ControlLabellingRequest::from(control.clone());
        let call = async |client: &Client, request| client.labels().control_labelling(request).await;
        let too_old = ClientError::NoLabelCalls(address.clone());
        let labelling = inquire(address, options, task, (request, call), too_old, read).await?;
        Ok((address.clone(), labelling))
    });
    try_join_all(told).await
}

fn read(labelling: proto::Labelling) -> Result<Labelling, String> {
    Labelling::try_from(labelling).map_err(|invalid| invalid.to_string())
}
