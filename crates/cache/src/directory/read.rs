//! An entry's file, read whole.

use std::fs::File;
use std::io;

use bytes::Bytes;

use crate::disk::Disk;
use crate::frame::{FrameHead, file_length};
use crate::key::EntryKey;

/// Most bytes that are read before the frame has said its length.
const AT_FIRST: usize = 1 << 20;

/// The frame: for nearly every entry in one read. What is no file has none.
pub(super) fn read(disk: &Disk, file: &File, key: &EntryKey) -> io::Result<Bytes> {
    if !disk.stat_file(file)?.is_file() {
        return Ok(Bytes::new());
    }
    let most = usize::try_from(file_length(key.most().get())).unwrap_or(usize::MAX);
    // One byte further than it may have, to see that the file ends there.
    let mut bytes = Vec::with_capacity(most.min(AT_FIRST) + 1);
    loop {
        let read = disk.read(file, &mut bytes)?;
        // A file gives less than was asked for at its end only.
        if read == 0 || bytes.len() < bytes.capacity() {
            return Ok(bytes.into());
        }
        let claimed = FrameHead::claimed_file(&bytes).filter(|claimed| *claimed <= most as u64);
        let Some(more) = claimed.and_then(|claimed| claimed.checked_sub(bytes.len() as u64)) else {
            // Longer than it may be, or than it says: no frame, whatever else is in it.
            return Ok(Bytes::new());
        };
        bytes.reserve_exact(more as usize + 1);
    }
}
