//! A file that is open, and which version it is of.

use std::io;
use std::ops::Range;

use cap_std::fs::{Metadata, MetadataExt};
use rustix::buffer::spare_capacity;
use rustix::io::Errno;

use crate::version::Version;

/// A file, opened for reading.
pub(crate) struct File(pub(super) cap_std::fs::File);

// === impl File ===

impl File {
    pub(crate) fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    /// The bytes of this range, or fewer where the file ends before, in memory that is as large as the range and was
    /// not zeroed before.
    pub(crate) fn read(&self, range: Range<u64>) -> io::Result<Vec<u8>> {
        let size = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
        let mut bytes = Vec::with_capacity(size);
        while bytes.len() < size {
            let offset = range.start + bytes.len() as u64;
            match rustix::io::pread(&self.0, spare_capacity(&mut bytes), offset) {
                Ok(0) => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(bytes)
    }
}

/// The version of the file that has this metadata.
pub(crate) fn version_of(metadata: &Metadata) -> Version {
    Version::of_file(metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}
