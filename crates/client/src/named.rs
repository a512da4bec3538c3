//! Servers as a caller names them.

use headwater_discovery::{DiscoveryError, ServerAddress, check_once};

use crate::error::ClientError;

/// Sees to it that servers are named, and none twice.
///
/// # Errors
/// No server, or one twice.
pub fn check_named(servers: &[ServerAddress]) -> Result<(), ClientError> {
    if servers.is_empty() {
        return Err(DiscoveryError::None.into());
    }
    Ok(check_once(servers.iter())?)
}
