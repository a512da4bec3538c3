//! The profile of a network in its file, as `profiler model --json` has printed it.

use std::io;
use std::path::{Path, PathBuf};

use headwater_cli::input::read_at_most;
use headwater_plan::partition::{MAX_NETWORK_PROFILE_BYTES, NetworkProfile, NetworkProfileError};

/// Why the profile of a network cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum NetworkReadError {
    /// The file cannot be read.
    #[error("cannot read the network's profile {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{} is no profile of a network", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with its content.
        source: NetworkProfileError,
    },
}

/// Reads the profile of a network.
///
/// # Errors
/// [`NetworkReadError`]: the file cannot be read, or is no such profile.
pub fn read(path: &Path) -> Result<NetworkProfile, NetworkReadError> {
    let at = || path.to_owned();
    let bytes = read_at_most(path, MAX_NETWORK_PROFILE_BYTES as u64);
    let bytes = bytes.map_err(|source| NetworkReadError::Read { path: at(), source })?;
    NetworkProfile::parse(&bytes).map_err(|source| NetworkReadError::Form { path: at(), source })
}
