//! One of the folder's folders: entries, and files that are being written.
//!
//! Invariant: a file has its full length from the moment that it is made, and whoever writes it holds its lock. So a shard
//! can be counted at any time, and a file that nobody holds was abandoned.

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::NamedTempFile;

/// Begins the name of a file that is being written; no entry's name begins so.
const UNFINISHED: &str = "_";

/// What files of this length take on disk: ext4 and XFS give out blocks of 4 KiB unless told otherwise.
pub(crate) const fn on_disk(length: u64) -> u64 {
    length.next_multiple_of(4096)
}

/// Makes a file of this length to be written to; the folder too, where it is not there yet.
pub(crate) fn begin(folder: &Path, length: u64) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    // As any other program's output: the umask decides. Who may enter the root is decided there.
    builder.prefix(UNFINISHED).permissions(Permissions::from_mode(0o666));
    let file = match builder.tempfile_in(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            std::fs::create_dir_all(folder)?;
            builder.tempfile_in(folder)?
        }
        other => other?,
    };
    file.as_file().lock()?;
    file.as_file().set_len(length)?;
    Ok(file)
}

/// Bytes on disk of everything in the folder, once what was abandoned is removed.
pub(crate) fn count(folder: &Path) -> io::Result<u64> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        other => other?,
    };
    let mut bytes = 0;
    for entry in entries {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(UNFINISHED.as_bytes()) && is_abandoned(&entry.path()) {
            std::fs::remove_file(entry.path())?;
            continue;
        }
        match entry.metadata() {
            Ok(metadata) => bytes += on_disk(metadata.len()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

fn is_abandoned(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}
