//! A restart-indexed JPEG, opened: how it is divided, and where each row of strips lies, told by its header alone.
//!
//! ```text
//! SOI | APP0 (JFIF) or APP14 (Adobe) | [APP1 (EXIF: orientation)] | APP15 (table) | DQT .. | SOF | DHT .. | DRI | SOS
//!     | strip | RST0 | strip | RST1 | ... | strip | EOI
//!
//! table, big-endian: 0xff 0xef | length u16 | "Headwater\0" | version 2 u8 | bytes of each row of strips u24 ...
//! ```
//!
//! A row's bytes include the marker behind it. The table makes it unnecessary to search or read the rows above a crop.
//! It has no entry for every strip, because that would take 1 to 2 % of a small photo, and finding strips in a row that
//! is copied anyway takes little time. A crop that is cut out has no table.

use std::ops::Range;

use headwater_types::{ByteCount, Format, Size};

use super::frame_header::FrameHeader;
use super::grid::Grid;
use super::markers::{APP1, APP15, DRI, SOF0, SOF1, SOI, SOS, Segment, segments};
use super::memory;
use super::strips::Markers;
use crate::error::ImageError;
use crate::exif::UPRIGHT;
use crate::upright;

/// What the header of an indexed JPEG says. Offsets count from the photo's first byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) grid: Grid,
    /// The orientation, as EXIF counts, 1 to 8.
    pub(crate) orientation: u8,
    /// MCUs of a strip, a divisor of a row's MCUs.
    pub(super) interval: u32,
    /// The place of the table's whole marker segment.
    pub(super) record: Range<usize>,
    /// Offset of the frame header's marker.
    pub(super) frame: usize,
    /// Offset of the first strip.
    pub(super) data: usize,
}

/// An entry of the table: the bytes of a row, big endian.
pub(super) type RowLength = [u8; 3];

/// Bytes of a marker between two strips, or at the end.
pub(super) const MARKER: usize = 2;

/// The first bytes of a table. Tables of version 1 left out orientations that stand in XMP, or in EXIF of another type.
const MAGIC: &[u8] = b"Headwater\0\x02";

// === impl Index ===

impl Index {
    /// Reads the header of an indexed JPEG of `length` bytes from the first of them, `start`, which must hold the whole
    /// header. Bytes behind the header are ignored.
    pub(crate) fn read(start: &[u8], length: usize) -> Result<Self, ImageError> {
        if !start.starts_with(&[0xff, SOI]) {
            return Err(malformed("it does not begin as a JPEG"));
        }
        let (mut frame, mut record, mut interval, mut orientation) = (None, None, 0, UPRIGHT);
        let mut data = None;
        for Segment { marker, at, end, contents } in segments(start, 2) {
            match marker {
                SOF0 | SOF1 => frame = Some((at, FrameHeader::read(marker, contents)?)),
                APP1 if contents.starts_with(b"Exif\0\0") => orientation = upright::orientation(Some(contents), None),
                APP15 if contents.starts_with(MAGIC) => record = Some(at..end),
                DRI => {
                    let length: [u8; 2] =
                        contents.try_into().map_err(|_| malformed("its restart interval is broken"))?;
                    interval = u16::from_be_bytes(length).into();
                }
                SOS => {
                    data = Some(end);
                    break;
                }
                _ => {}
            }
        }
        let data = data.ok_or_else(|| malformed("it has no scan"))?;
        let (frame, header) = frame.ok_or_else(|| malformed("it has no frame header"))?;
        let record = record.ok_or_else(|| malformed("it has no table"))?;
        let grid = Grid::new(header.size, header.components.sampling())
            .ok_or_else(|| malformed("its sampling has no strips"))?;
        let index = Self { grid, orientation, interval, record, frame, data };
        index.check(start, length)?;
        Ok(index)
    }

    /// Checks that the table fits the picture and its length: every strip lies within the photo then.
    fn check(&self, start: &[u8], length: usize) -> Result<(), ImageError> {
        let Size { width, height } = self.grid.mcus;
        if self.interval == 0 || width % self.interval != 0 {
            return Err(malformed("its strips do not fill its rows"));
        }
        let rows = self.rows(start);
        if rows.len() as u64 != u64::from(height) || self.data + together(rows) != length {
            return Err(malformed("its table is not of its rows"));
        }
        Ok(())
    }

    /// Memory that decoding the photo takes, all `bytes` of it and the RGB pixels included; and what our own decoder
    /// takes over and above that.
    pub(crate) fn memory(&self, bytes: u64) -> (ByteCount, ByteCount) {
        memory::indexed(self.grid.size, self.orientation != UPRIGHT, bytes)
    }

    /// The table: the length of each row of strips.
    pub(super) fn rows<'a>(&self, start: &'a [u8]) -> &'a [RowLength] {
        let table = start.get(self.record.clone()).and_then(|record| record.get(4 + MAGIC.len()..));
        table.unwrap_or_default().as_chunks().0
    }
}

/// The number of bytes of a row, its last marker included.
pub(super) fn length(row: RowLength) -> usize {
    let [high, middle, low] = row;
    u32::from_be_bytes([0, high, middle, low]) as usize
}

/// The number of bytes of these rows together.
pub(super) fn together(rows: &[RowLength]) -> usize {
    rows.iter().copied().map(length).sum()
}

/// The table of a scan's data, which end with the end of the image and have `strips` strips in a row. `None` where a
/// row or the table is too long.
pub(super) fn write_table(data: &[u8], strips: usize) -> Option<Vec<u8>> {
    let mut table = vec![0xff, APP15, 0, 0];
    table.extend(MAGIC);
    let mut start = 0;
    for at in Markers::new(data).skip(strips - 1).step_by(strips) {
        let end = at + MARKER;
        let [0, length @ ..] = u32::try_from(end - start).ok()?.to_be_bytes() else { return None };
        table.extend(length);
        start = end;
    }
    let length = u16::try_from(table.len() - 2).ok()?;
    table[2..4].copy_from_slice(&length.to_be_bytes());
    Some(table)
}

fn malformed(reason: &str) -> ImageError {
    ImageError::malformed(Format::Jpeg, format!("not as it was indexed: {reason}"))
}
