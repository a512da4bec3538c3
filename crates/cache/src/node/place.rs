//! Where a cache is in memory, and its end.

use std::io;
use std::path::{Path, PathBuf};

use super::error::NodeError;
use super::members;
use super::table;
use super::values::{UNFINISHED, VALUES};

/// Where a cache is, and of what.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    pub(super) identity: [u8; 32],
}

/// Removes a cache's folder in memory, of which nobody lives and whose table is locked here: the table first, by which
/// others see that it is gone.
pub(super) fn remove(path: &Path) -> Result<(), NodeError> {
    let file = path.join(table::NAME);
    std::fs::remove_file(&file).map_err(NodeError::io("remove", &file))?;
    for inner in [members::FOLDER, UNFINISHED, VALUES] {
        let inner = path.join(inner);
        match std::fs::remove_dir_all(&inner) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(NodeError::io("remove", &inner)(error));
            }
            _ => {}
        }
    }
    std::fs::remove_dir(path).map_err(NodeError::io("remove", path))
}
