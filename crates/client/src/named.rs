//! Servers as a caller names them.

use std::collections::BTreeSet;

use crate::address::ServerAddress;
use crate::error::ClientError;

/// Sees to it that servers are named, and none twice.
///
/// # Errors
/// No server, or one twice.
pub fn check_named(servers: &[ServerAddress]) -> Result<(), ClientError> {
    if servers.is_empty() {
        return Err(ClientError::NoServers);
    }
    let mut seen = BTreeSet::new();
    match servers.iter().find(|address| !seen.insert(*address)) {
        Some(twice) => Err(ClientError::DuplicateServer(twice.clone())),
        None => Ok(()),
    }
}
