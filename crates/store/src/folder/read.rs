//! One file, whole: opened, checked, read and checked again, in one go on a blocking thread.

use std::io;

use bytes::Bytes;
use cap_std::fs::{Dir, File, Metadata, OpenOptions, OpenOptionsExt};
use headwater_types::{ByteCount, FailureKind, SampleFailure, SampleKey};
use rustix::buffer::spare_capacity;
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::{Refusal, version_of};
use crate::version::{LIST_ANEW, Version};

pub(super) fn read(
    root: &Dir,
    key: &SampleKey,
    version: Version,
    max_object: ByteCount,
) -> Result<Bytes, SampleFailure> {
    if version.size() > max_object {
        return Err(too_large(version, max_object));
    }
    let file = open(root, key).map_err(|error| failure(&error))?;
    check(&file, version)?;
    let bytes = read_at_most(&file, version.size().as_usize()).map_err(|error| failure(&error))?;
    // A file that is written while it is read has its time moved by the first write: what was read may be of both.
    check(&file, version)?;
    if bytes.len() as u64 != version.size().get() {
        return Err(changed("it is being written"));
    }
    Ok(bytes.into())
}

/// Opens without waiting: a pipe in the file's place would otherwise hold the thread until somebody writes to it.
fn open(root: &Dir, key: &SampleKey) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    options.read(true).custom_flags(flags.bits().cast_signed());
    root.open_with(key.as_str(), &options)
}

fn check(file: &File, version: Version) -> Result<(), SampleFailure> {
    compare(&file.metadata().map_err(|error| failure(&error))?, version)
}

/// Whether what is there is what was listed.
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

/// Into memory that is as large as the file and was not zeroed before.
fn read_at_most(file: &File, size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(size);
    while bytes.len() < size {
        match rustix::io::read(file, spare_capacity(&mut bytes)) {
            Ok(0) => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(bytes)
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

fn too_large(version: Version, max_object: ByteCount) -> SampleFailure {
    SampleFailure::new(
        FailureKind::LimitExceeded,
        format!("it has {} and may have {max_object}: see --max-object-bytes", version.size()),
    )
}
