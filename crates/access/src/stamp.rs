//! Files that may be changed while a program runs, and by what that is seen.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::error::AccessError;

/// What tells one state of a file from another, without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    place: (u64, u64),
    length: u64,
    changed: (i64, i64),
}

/// Most bytes of a file of certificates, a key or tokens.
const MOST: u64 = 1 << 20;

// === impl Stamp ===

impl Stamp {
    /// The state of a file; `None` for one that cannot be looked at, as between two steps of a rotation.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        let place = (found.dev(), found.ino());
        Some(Self { place, length: found.len(), changed: (found.ctime(), found.ctime_nsec()) })
    }
}

/// Reads a small file whole.
///
/// # Errors
/// A file that cannot be read, or that is too long; `setting` is named.
pub fn read(setting: &'static str, path: &Path) -> Result<Vec<u8>, AccessError> {
    let unread = |source: io::Error| AccessError::Unread { setting, path: path.to_owned(), source };
    let file = File::open(path).map_err(unread)?;
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(unread)?;
    if bytes.len() as u64 > MOST {
        return Err(AccessError::TooLong { setting, path: path.to_owned(), most: MOST });
    }
    Ok(bytes)
}
