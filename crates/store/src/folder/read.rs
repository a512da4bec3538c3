//! A range of one file: opened, checked, read and checked again, in one go on a blocking thread.

use std::io;

use bytes::Bytes;
use cap_std::fs::Metadata;
use headwater_types::{ByteCount, FailureKind, SampleFailure};

use super::refusal::Refusal;
use crate::extent::Extent;
use crate::fetched::Fetched;
use crate::local::{File, Root, version_of};
use crate::version::{LIST_ANEW, Version};

pub(super) fn read(
    root: &Root,
    extent: &Extent,
    max_object: ByteCount,
    fetched: &Fetched,
) -> Result<Bytes, SampleFailure> {
    extent.check_length(max_object)?;
    let range = extent.bytes()?;
    let file = root.file(extent.object().as_str()).map_err(|error| failure(&error))?;
    check(&file, extent.listed())?;
    fetched.read();
    let bytes = file.read(range).map_err(|error| failure(&error))?;
    fetched.came(bytes.len());
    // A file that is written while it is read has its time moved by the first write: what was read may be of both.
    check(&file, extent.listed())?;
    if ByteCount::from(bytes.len()) != extent.length() {
        return Err(changed("it is being written"));
    }
    Ok(bytes.into())
}

fn check(file: &File, version: Version) -> Result<(), SampleFailure> {
    compare(&file.metadata().map_err(|error| failure(&error))?, version)
}

/// Whether a file is of the version that was listed.
pub(super) fn compare(metadata: &Metadata, version: Version) -> Result<(), SampleFailure> {
    if !metadata.is_file() {
        return Err(changed("it is no longer a file"));
    }
    let now = version_of(metadata);
    if now == version {
        return Ok(());
    }
    Err(changed(&if now.size() == version.size() {
        // The content may well be the same: nobody has looked.
        "its modification time is another, as after touch, cp -r or rsync without -t".to_owned()
    } else {
        format!("it had {} bytes and has {}", version.size().get(), now.size().get())
    }))
}

pub(super) fn failure(error: &io::Error) -> SampleFailure {
    match Refusal::of(error) {
        Refusal::Absent => {
            SampleFailure::new(FailureKind::NotFound, format!("it is gone since it was listed; {LIST_ANEW}"))
        }
        Refusal::Escape => SampleFailure::new(FailureKind::Forbidden, "a link leads out of the dataset's folder"),
        Refusal::Loop => SampleFailure::new(FailureKind::Forbidden, "its links lead nowhere"),
        Refusal::Special => changed("it is no longer a file"),
        Refusal::Permission => {
            SampleFailure::new(FailureKind::Forbidden, format!("the server's user may not read it: {error}"))
        }
        Refusal::Exhausted | Refusal::Other => {
            SampleFailure::new(FailureKind::Io, format!("the file could not be read: {error}"))
        }
    }
}

fn changed(how: &str) -> SampleFailure {
    SampleFailure::new(FailureKind::Changed, format!("it is another than was listed: {how}; {LIST_ANEW}"))
}
