//! Servers as a caller names them.

use std::collections::BTreeSet;

use crate::error::ClientError;
use headwater_discovery::{DiscoveryError, ServerAddress};

/// Sees to it that servers are named, and none twice.
///
/// # Errors
/// No server, or one twice.
pub fn check_named(servers: &[ServerAddress]) -> Result<(), ClientError> {
    if servers.is_empty() {
        return Err(DiscoveryError::None.into());
    }
    let mut seen = BTreeSet::new();
    match servers.iter().find(|address| !seen.insert(*address)) {
        Some(twice) => Err(DiscoveryError::Twice(twice.clone()).into()),
        None => Ok(()),
    }
}
