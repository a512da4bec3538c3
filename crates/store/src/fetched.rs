//! How much was read of a dataset's own files or objects, whatever became of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use headwater_types::ByteCount;

/// What the stores of one dataset have read of its files or objects: by listings (headers of tar files, footers and
/// label columns of Parquet files) and for samples. Clones are the same.
///
/// It is counted where bytes come from a file or the network, so a page of a Parquet file counts once however many of
/// its rows are read from memory then, and an object that a bucket gave twice counts twice. Names and attributes, the
/// pages of a bucket's listing, and files of labels or classes are not in it.
#[derive(Clone, Debug, Default)]
pub struct Fetched(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    bytes: AtomicU64,
    reads: AtomicU64,
}

// === impl Fetched ===

impl Fetched {
    /// The bytes that have come.
    pub fn bytes(&self) -> ByteCount {
        ByteCount::new(self.0.bytes.load(Ordering::Relaxed))
    }

    /// The ranges of files that were read, or the requests for objects that were made.
    pub fn reads(&self) -> u64 {
        self.0.reads.load(Ordering::Relaxed)
    }

    /// A range is read, or asked for.
    pub(crate) fn read(&self) {
        self.0.reads.fetch_add(1, Ordering::Relaxed);
    }

    /// So many bytes have come.
    pub(crate) fn came(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
