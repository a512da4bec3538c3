//! Files from outside.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// A file's content, but at most one byte more than `limit`: enough for whoever parses it to refuse it as too long.
///
/// # Errors
/// A file that cannot be read.
pub fn read_at_most(path: impl AsRef<Path>, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}
