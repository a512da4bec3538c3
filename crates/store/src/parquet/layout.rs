//! Where the pages of a chunk lie, and which rows each has.

use std::ops::Range;

use super::fault::Fault;
use super::header::{Header, Kind};
use super::thrift::Thrift;

/// How many pages a chunk may have.
const MAX_PAGES: usize = 1 << 20;

/// A data page: header and bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageAt {
    /// The place of its header in the file.
    pub(super) offset: u64,
    /// The length of header and bytes.
    pub(super) length: u32,
    /// The row of the group that its first value is of.
    pub(super) first: u32,
}

/// The data pages of a chunk, in the order of their rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pages: Vec<PageAt>,
    rows: u32,
}

/// A layout that is made page by page, from the headers at the places that it asks for.
pub(super) struct Walk {
    layout: Layout,
    /// The place of the next header.
    pub(super) at: u64,
    end: u64,
}

// === impl Layout ===

impl Layout {
    /// Reads the index of pages that a file has for a chunk within `chunk`, of a group of so many rows.
    pub(super) fn of_index(bytes: &[u8], chunk: &Range<u64>, rows: u32) -> Result<Self, Fault> {
        let mut layout = Self { pages: Vec::new(), rows };
        Thrift::new(bytes).structure(|thrift, field| match field.id {
            1 => thrift.structures(field, MAX_PAGES, |thrift| {
                let (mut offset, mut length, mut first) = (0, 0, 0);
                thrift.structure(|thrift, field| {
                    match field.id {
                        1 => offset = thrift.natural(field)?,
                        2 => length = thrift.natural(field)?,
                        3 => first = thrift.natural(field)?,
                        _ => thrift.skip(field)?,
                    }
                    Ok(())
                })?;
                layout.push(offset, length, first, chunk)
            }),
            _ => thrift.skip(field),
        })?;
        layout.checked()
    }

    /// The page that has this row of the group: its number, itself, and its rows.
    pub(super) fn find(&self, row: u32) -> Option<(u32, PageAt, Range<u32>)> {
        let after = self.pages.partition_point(|page| page.first <= row);
        let page = *self.pages.get(after.checked_sub(1)?)?;
        let end = self.pages.get(after).map_or(self.rows, |next| next.first);
        (row < end).then(|| (after as u32 - 1, page, page.first..end))
    }

    fn push(&mut self, offset: u64, length: u64, first: u64, chunk: &Range<u64>) -> Result<(), Fault> {
        let lies_within = offset >= chunk.start && offset.checked_add(length).is_some_and(|end| end <= chunk.end);
        let rises = self.pages.last().map_or(first == 0, |last| first > u64::from(last.first));
        let (Ok(length), Ok(first)) = (u32::try_from(length), u32::try_from(first)) else {
            return Err(Fault::Broken("a page is larger than a page may be"));
        };
        if !lies_within || !rises || first >= self.rows || self.pages.len() == MAX_PAGES {
            return Err(Fault::Broken("its pages do not lie as the file says"));
        }
        self.pages.push(PageAt { offset, length, first });
        Ok(())
    }

    fn checked(self) -> Result<Self, Fault> {
        if self.rows > 0 && self.pages.is_empty() { Err(Fault::Short("the list of its pages")) } else { Ok(self) }
    }
}

// === impl Walk ===

impl Walk {
    pub(super) fn new(chunk: &Range<u64>, data: u64, rows: u32) -> Self {
        Self { layout: Layout { pages: Vec::new(), rows }, at: data.max(chunk.start), end: chunk.end }
    }

    /// Whether there is a further page. Bytes behind the last row are none of the column's.
    pub(super) fn goes_on(&self, seen: u64) -> bool {
        self.at < self.end && seen < u64::from(self.layout.rows)
    }

    /// Takes the header at [`Self::at`], and says how many rows its page has. `seen` is how many all before had.
    pub(super) fn take(&mut self, header: &Header, seen: u64) -> Result<u64, Fault> {
        let chunk = 0..self.end;
        let at = self.at;
        self.at = at.saturating_add(header.whole());
        if self.at > self.end {
            return Err(Fault::Short("a column's last page"));
        }
        match header.kind {
            Kind::Data | Kind::DataV2 if header.values > 0 => {
                self.layout.push(at, header.whole(), seen, &chunk)?;
                Ok(u64::from(header.values))
            }
            // Of such pages there could be any number.
            _ if header.whole() == 0 => Err(Fault::Broken("a page has no length")),
            _ => Ok(0),
        }
    }

    /// All pages that were taken.
    pub(super) fn pages(self) -> Vec<PageAt> {
        self.layout.pages
    }

    pub(super) fn finish(self, seen: u64) -> Result<Layout, Fault> {
        if seen != u64::from(self.layout.rows) {
            return Err(Fault::Broken("the pages of a column have other rows than its row group"));
        }
        self.layout.checked()
    }
}
