//! One file as rows of photos: which page has a row, and the page itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use headwater_types::{FailureKind, SampleFailure};
use tokio::sync::OnceCell;

use super::chunk::Chunk;
use super::codec::Codec;
use super::fault::Fault;
use super::file::File;
use super::footer::Group;
use super::layout::{Layout, PageAt};
use super::memory::{Page, PageId, PageMemory};
use super::page::{Decoding, ROW_MEMORY};
use super::schema::Leaf;

/// How much more a page of photos may have when unpacked, before it is asked what it says: photos are packed already.
const EXPECTED_GROWTH: u64 = 2;
const SMALL: u64 = 64 << 10;

/// The photos of one file.
pub(super) struct Table {
    /// No other table of this process has it.
    number: u64,
    file: File,
    image: Leaf,
    groups: Vec<Rows>,
}

/// A row group's photos.
struct Rows {
    /// The row of the file that is its first.
    first: u64,
    group: Group,
    layout: OnceCell<Arc<Layout>>,
}

/// A page of a row group.
struct Place<'a> {
    chunk: &'a Chunk,
    page: PageAt,
    rows: u32,
}

// === impl Table ===

impl Table {
    /// The table of these row groups, of which the first chunk is that of photos.
    pub(super) fn new(file: File, image: Leaf, groups: Vec<Group>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mut first = 0;
        let rows = |mut group: Group| {
            // Columns beside the photos were of the listing.
            group.chunks.truncate(1);
            let rows = Rows { first, group, layout: OnceCell::new() };
            first += rows.group.rows;
            rows
        };
        let groups = groups.into_iter().map(rows).collect();
        Self { number: NEXT.fetch_add(1, Ordering::Relaxed), file, image, groups }
    }

    /// The page that has this row, and which of its rows it is.
    pub(super) async fn page(&self, row: u64, memory: &PageMemory) -> Result<(Arc<Page>, usize), SampleFailure> {
        let after = self.groups.partition_point(|rows| rows.first <= row);
        let (number, rows) = after.checked_sub(1).and_then(|at| Some((at, self.groups.get(at)?))).ok_or_else(none)?;
        let within = u32::try_from(row - rows.first).map_err(|_| none())?;
        let chunk = rows.group.chunks.first().ok_or_else(none)?;
        let layout = rows.layout.get_or_try_init(|| async {
            chunk.codec.check().map_err(|fault| fault.failure())?;
            self.file.layout(&rows.group, chunk).await.map(Arc::new)
        });
        let (at, page, range) = layout.await?.find(within).ok_or_else(none)?;
        let id = PageId { table: self.number, group: number as u32, page: at };
        let place = Place { chunk, page, rows: range.end - range.start };
        let page = memory.get(id, || self.load(&place, memory)).await?;
        Ok((page, (within - range.start) as usize))
    }

    /// Reads a page within memory that is set aside before: at first as much as photos take, and if the page says to
    /// need more, as much as its chunk has.
    async fn load(&self, place: &Place<'_>, memory: &PageMemory) -> Result<Arc<Page>, SampleFailure> {
        let stored = u64::from(place.page.length);
        let dictionary = place.chunk.dictionary().map_or(0, |range| range.end - range.start);
        let all = place.chunk.unpacked.max(SMALL);
        let rows = u64::from(place.rows) * ROW_MEMORY;
        let largest = stored.max(dictionary);
        // A page that is not packed is read in place.
        let (room, extra) = match place.chunk.codec {
            Codec::Plain => (largest, 0),
            _ => ((largest * EXPECTED_GROWTH + SMALL).min(all), (largest * EXPECTED_GROWTH + SMALL).min(all)),
        };
        let stored = stored + dictionary + rows;
        match self.load_in(place, memory, stored + extra, room.max(rows)).await? {
            Ok(page) => Ok(page),
            Err(_) if extra < all => {
                let loaded = self.load_in(place, memory, stored + all, all.max(rows)).await?;
                loaded.map_err(|fault| fault.failure())
            }
            Err(fault) => Err(fault.failure()),
        }
    }

    /// Reads a page that has at most `room` bytes when unpacked. The inner error says that it has more.
    async fn load_in(
        &self,
        place: &Place<'_>,
        memory: &PageMemory,
        needed: u64,
        room: u64,
    ) -> Result<Result<Arc<Page>, Fault>, SampleFailure> {
        let held = memory.hold(needed).await?;
        let (bytes, dictionary) = self.file.page(place.chunk, place.page).await?;
        let (leaf, codec, rows) = (self.image.clone(), place.chunk.codec, place.rows);
        let decoded = blocking(move || Decoding { leaf: &leaf, codec, room }.decode(&bytes, dictionary.as_ref(), rows));
        match decoded.await? {
            Ok(cells) => Ok(Ok(Arc::new(Page::new(cells, held)))),
            Err(fault @ Fault::Larger(_)) => Ok(Err(fault)),
            Err(fault) => Err(fault.failure()),
        }
    }
}

/// Decodes on a thread that may compute for long.
pub(super) async fn blocking<T: Send + 'static>(
    decode: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<Result<T, Fault>, SampleFailure> {
    let failed = |error| SampleFailure::new(FailureKind::Internal, format!("a page was not decoded: {error}"));
    tokio::task::spawn_blocking(decode).await.map_err(failed)
}

fn none() -> SampleFailure {
    SampleFailure::new(FailureKind::OutOfRange, "its file has no such row")
}
