//! One Parquet file, read range by range through the store that it lies in: its footer, the places of its pages, pages.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use headwater_types::SampleFailure;

use super::chunk::Chunk;
use super::fault::Fault;
use super::footer::{Footer, Group, TAIL, place};
use super::header::Header;
use super::layout::{Layout, PageAt, Walk};
use super::page::Decoding;
use crate::extent::Extent;
use crate::store::Store;

/// How much of a file's end is fetched at first: most footers are smaller.
const FIRST_TAIL: u64 = 64 << 10;
/// How much is fetched at a page's beginning to see its header. Headers of pages have some dozen bytes, and up to a few
/// kilobytes where they repeat the column's least and greatest values.
const HEADER_WINDOW: u64 = 16 << 10;
const MAX_HEADER: u64 = 1 << 20;

/// A file of the version that was listed.
#[derive(Clone)]
pub(super) struct File {
    pub(super) store: Arc<dyn Store>,
    /// All of it.
    pub(super) whole: Extent,
    /// A part that was fetched already, and where it begins.
    held: (u64, Bytes),
}

// === impl File ===

impl File {
    pub(super) fn new(store: &Arc<dyn Store>, whole: Extent) -> Self {
        Self { store: Arc::clone(store), whole, held: (0, Bytes::new()) }
    }

    /// The same file, with this range of it in memory.
    pub(super) async fn with(&self, range: &Range<u64>) -> Result<Self, SampleFailure> {
        let held = (range.start, self.fetch(range.clone()).await?);
        Ok(Self { held, ..self.clone() })
    }

    /// The bytes of this range.
    pub(super) async fn fetch(&self, range: Range<u64>) -> Result<Bytes, SampleFailure> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let (start, held) = &self.held;
        if range.start >= *start && range.end <= start + held.len() as u64 {
            return Ok(held.slice((range.start - start) as usize..(range.end - start) as usize));
        }
        let part = Extent::part(self.whole.object().clone(), self.whole.listed(), range);
        let part = part.ok_or_else(|| Fault::Broken("a part of it lies outside the file").failure())?;
        self.store.read(&part).await
    }

    /// The footer's bytes, and the place where it begins.
    pub(super) async fn footer(&self) -> Result<(Bytes, u64), SampleFailure> {
        let size = self.size();
        let tail = self.fetch(size.saturating_sub(FIRST_TAIL)..size).await?;
        let start = size - tail.len() as u64;
        let last = tail.slice(tail.len().saturating_sub(TAIL as usize)..);
        let range = place(&last, size).map_err(|fault| fault.failure())?;
        if range.start >= start {
            let (first, end) = ((range.start - start) as usize, (range.end - start) as usize);
            return Ok((tail.slice(first..end), range.start));
        }
        Ok((self.fetch(range.clone()).await?, range.start))
    }

    /// Where the pages of a chunk lie: as the file's index says, or else by their headers, one after the other.
    pub(super) async fn layout(&self, group: &Group, chunk: &Chunk) -> Result<Layout, SampleFailure> {
        let rows = group.rows as u32;
        if let Some(index) = &chunk.index {
            let bytes = self.fetch(index.clone()).await?;
            return Layout::of_index(&bytes, &chunk.range, rows).map_err(|fault| fault.failure());
        }
        let (walk, seen) = self.walk(chunk, rows).await?;
        walk.finish(seen).map_err(|fault| fault.failure())
    }

    /// The data pages of a chunk whose rows may have any number of values.
    pub(super) async fn pages(&self, chunk: &Chunk) -> Result<Vec<PageAt>, SampleFailure> {
        Ok(self.walk(chunk, u32::MAX).await?.0.pages())
    }

    /// Goes from page to page until so many values were seen, or to the chunk's end.
    async fn walk(&self, chunk: &Chunk, values: u32) -> Result<(Walk, u64), SampleFailure> {
        let mut walk = Walk::new(&chunk.range, chunk.data, values);
        let (mut seen, mut window) = (0, (walk.at, Bytes::new()));
        while walk.goes_on(seen) {
            let header = self.header(walk.at, &chunk.range, &mut window).await?;
            seen += walk.take(&header, seen).map_err(|fault| fault.failure())?;
        }
        Ok((walk, seen))
    }

    /// The bytes of a page, and of its chunk's dictionary where the page needs it.
    pub(super) async fn page(&self, chunk: &Chunk, page: PageAt) -> Result<(Bytes, Option<Bytes>), SampleFailure> {
        let bytes = self.fetch(page.offset..page.offset + u64::from(page.length)).await?;
        let needs = Decoding::needs_dictionary(&bytes).map_err(|fault| fault.failure())?;
        Ok(match chunk.dictionary() {
            Some(dictionary) if needs => (bytes, Some(self.fetch(dictionary).await?)),
            _ => (bytes, None),
        })
    }

    pub(super) fn size(&self) -> u64 {
        self.whole.listed().size().get()
    }

    /// The header at this place. `window` is what was fetched last, and where.
    async fn header(&self, at: u64, chunk: &Range<u64>, window: &mut (u64, Bytes)) -> Result<Header, SampleFailure> {
        let mut length = HEADER_WINDOW;
        loop {
            let held = at.checked_sub(window.0).and_then(|skip| window.1.get(usize::try_from(skip).ok()?..));
            match Header::read(held.unwrap_or_default()) {
                Ok(header) => return Ok(header),
                Err(Fault::Short(_)) if length <= MAX_HEADER => {}
                Err(fault) => return Err(fault.failure()),
            }
            *window = (at, self.fetch(at..chunk.end.min(at + length)).await?);
            length *= 8;
        }
    }
}

/// The footer of a file, and its row groups' chunks of the columns that `choose` names. Footers that say to have more
/// than so many rows are refused, which would have a listing of any length.
pub(super) async fn open<T, E: From<SampleFailure>>(
    file: &File,
    most_rows: u64,
    choose: impl FnOnce(&Footer) -> Result<(T, Vec<usize>), E>,
) -> Result<(T, Footer, Vec<Group>), E> {
    let (bytes, start) = file.footer().await?;
    let footer = Footer::read(&bytes).map_err(|fault| fault.failure())?;
    if footer.rows > most_rows {
        return Err(Fault::Broken("it says to have more rows than it can have").failure().into());
    }
    let (chosen, columns) = choose(&footer)?;
    let groups = footer.groups(&bytes, &columns, start).map_err(|fault| fault.failure())?;
    Ok((chosen, footer, groups))
}
