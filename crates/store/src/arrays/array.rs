//! One file of an array: its header, and its photos one by one.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use headwater_types::{FailureKind, SampleFailure};

use super::grid::Grid;
use super::{idx, npy};
use crate::blocking;
use crate::extent::Extent;
use crate::kind::Kind;
use crate::store::Store;

/// The most bytes that a packed file may have when it is unpacked into memory.
const MOST_UNPACKED: u64 = 256 << 20;

/// An array of the version that was listed.
pub(super) struct Array {
    store: Arc<dyn Store>,
    whole: Extent,
    pub(super) grid: Grid,
    /// All of the file, where it is packed.
    unpacked: Option<Bytes>,
}

// === impl Array ===

impl Array {
    /// Reads the header. A packed file is unpacked into memory as a whole: gzip has no place to begin but the start.
    pub(super) async fn open(store: &Arc<dyn Store>, whole: &Extent, kind: Kind) -> Result<Self, SampleFailure> {
        let unpacked = match is_packed(whole) {
            true => Some(unpack(store.read(whole).await?).await?),
            false => None,
        };
        let size = unpacked.as_ref().map_or(whole.listed().size().get(), |bytes| bytes.len() as u64);
        let head = match &unpacked {
            Some(bytes) => bytes.clone(),
            None => head(store, whole, size, kind).await?,
        };
        let grid = if kind == Kind::Npy { npy::photos(&head, size) } else { idx::photos(&head, size) };
        let grid = grid.map_err(|reason| SampleFailure::new(FailureKind::Malformed, reason))?;
        Ok(Self { store: Arc::clone(store), whole: whole.clone(), grid, unpacked })
    }

    /// A photo as a PNM file.
    pub(super) async fn photo(&self, number: u64) -> Result<Bytes, SampleFailure> {
        let none = || SampleFailure::new(FailureKind::OutOfRange, "its file has no such photo");
        let range = self.grid.range(number).ok_or_else(none)?;
        let pixels = match &self.unpacked {
            Some(bytes) => {
                // What is in memory would be given for ever.
                blocking::check(&self.store, self.whole.clone()).await?;
                bytes.slice(range.start as usize..range.end as usize)
            }
            None => {
                let part = Extent::part(self.whole.object().clone(), self.whole.listed(), range);
                self.store.read(&part.ok_or_else(none)?).await?
            }
        };
        Ok([self.grid.header().as_bytes(), &pixels].concat().into())
    }

    /// The memory that an unpacked file takes.
    pub(super) fn memory(&self) -> u64 {
        self.unpacked.as_ref().map_or(0, |bytes| bytes.len() as u64)
    }
}

/// The bytes of a whole file, unpacked where it is packed.
pub(super) async fn whole(store: &Arc<dyn Store>, whole: &Extent) -> Result<Bytes, SampleFailure> {
    let bytes = store.read(whole).await?;
    if is_packed(whole) { unpack(bytes).await } else { Ok(bytes) }
}

async fn head(store: &Arc<dyn Store>, whole: &Extent, size: u64, kind: Kind) -> Result<Bytes, SampleFailure> {
    let longest = if kind == Kind::Npy { npy::LONGEST } else { idx::LONGEST };
    let part = Extent::part(whole.object().clone(), whole.listed(), 0..size.min(longest));
    let empty = || SampleFailure::new(FailureKind::Malformed, "it has no bytes");
    store.read(&part.ok_or_else(empty)?).await
}

fn is_packed(whole: &Extent) -> bool {
    whole.object().as_str().to_ascii_lowercase().ends_with(".gz")
}

async fn unpack(packed: Bytes) -> Result<Bytes, SampleFailure> {
    let unpacked = tokio::task::spawn_blocking(move || unpacked(&packed)).await;
    unpacked.unwrap_or_else(|error| Err(SampleFailure::new(FailureKind::Internal, error.to_string())))
}

fn unpacked(packed: &[u8]) -> Result<Bytes, SampleFailure> {
    let mut bytes = Vec::new();
    let members = flate2::read::MultiGzDecoder::new(packed);
    let read = members.take(MOST_UNPACKED + 1).read_to_end(&mut bytes);
    read.map_err(|error| SampleFailure::new(FailureKind::Malformed, format!("it does not unpack: {error}")))?;
    if bytes.len() as u64 > MOST_UNPACKED {
        let message = "it has more than 256 MiB when unpacked, which are held in memory: unpack it with gunzip --keep";
        return Err(SampleFailure::new(FailureKind::LimitExceeded, message));
    }
    bytes.shrink_to_fit();
    Ok(bytes.into())
}
