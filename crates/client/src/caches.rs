//! What servers keep of samples, and what comes of it.

use futures::future::join_all;
use headwater_wire::{CacheReport, proto};

use crate::connection::Client;
use crate::error::ClientError;
use crate::inquiry::inquire;
use crate::named::check_named;
use crate::options::ClientOptions;
use headwater_discovery::ServerAddress;

/// What one server says of its cache.
#[derive(Clone, Debug)]
pub struct ServerCache {
    /// The server.
    pub server: ServerAddress,
    /// What the server says, or why it does not say it.
    pub cache: Result<CacheReport, ClientError>,
}

/// Asks every server about its cache, in the order of the servers. A server that does not answer says so beside the
/// others; it is waited for as long as [`Retry::connect_for`](crate::Retry::connect_for) says.
///
/// # Errors
/// No server, or one twice.
pub async fn caches(servers: &[ServerAddress], options: &ClientOptions) -> Result<Vec<ServerCache>, ClientError> {
    check_named(servers)?;
    let asked = (0..).zip(servers).map(|(task, address)| async move {
        let too_old = ClientError::NoCacheReport(address.clone());
        let call = async |client: &Client, request| client.caches().cache(request).await;
        let read = |report: proto::CacheReport| CacheReport::try_from(report).map_err(|invalid| invalid.to_string());
        let cache = inquire(address, options, task, (proto::CacheRequest {}, call), too_old, read).await;
        ServerCache { server: address.clone(), cache }
    });
    Ok(join_all(asked).await)
}
