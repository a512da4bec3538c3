//! How much a file system has to give, and taking it ahead.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;

/// Bytes that this user may still write to the file system of a folder; `None` where it does not say.
pub(super) fn free(folder: &Path) -> Option<u64> {
    let has = statvfs(folder).ok().filter(|has| has.f_blocks > 0)?;
    has.f_bavail.checked_mul(has.f_frsize)
}

/// Takes space for so many bytes of a file, whose length stays as it is. Where the file system cannot, nothing is
/// taken.
pub(super) fn reserve(file: &File, bytes: u64) -> io::Result<()> {
    if bytes == 0 {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::KEEP_SIZE, 0, bytes) {
        Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => Err(error.into()),
        _ => Ok(()),
    }
}
