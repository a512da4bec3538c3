//! Which models servers have.

use futures::future::join_all;
use headwater_wire::models::ServedModel;
use headwater_wire::proto;

use crate::connection::Client;
use crate::error::ClientError;
use crate::inquiry::inquire;
use crate::named::check_named;
use crate::options::ClientOptions;
use headwater_discovery::ServerAddress;

/// What one server says of its models.
#[derive(Clone, Debug)]
pub struct ServerModels {
    /// The server.
    pub server: ServerAddress,
    /// The server's models and heads by name, or why it does not say them.
    pub models: Result<Vec<ServedModel>, ClientError>,
}

/// Asks every server for its models, in the order of the servers. A server that does not answer says so beside the
/// others.
///
/// # Errors
/// No server, or one twice.
pub async fn models(servers: &[ServerAddress], options: &ClientOptions) -> Result<Vec<ServerModels>, ClientError> {
    check_named(servers)?;
    let asked = (0..).zip(servers).map(|(task, address)| async move {
        let call = async |client: &Client, request| client.models().list_models(request).await;
        let too_old = ClientError::NoLabelCalls(address.clone());
        let read = |list| ServedModel::read(list).map_err(|invalid| invalid.to_string());
        let models = inquire(address, options, task, (proto::ListModelsRequest {}, call), too_old, read).await;
        ServerModels { server: address.clone(), models }
    });
    Ok(join_all(asked).await)
}
