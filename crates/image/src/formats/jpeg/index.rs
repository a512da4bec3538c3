//! A restart-indexed JPEG, opened: how it is divided, and where each row of strips lies, told by its header alone.
//!
//! ```text
//! SOI | APP0 (JFIF) or APP14 (Adobe) | [APP1 (EXIF: orientation)] | APP15 (table) | DQT .. | SOF | DHT .. | DRI | SOS
//!     | strip | RST0 | strip | RST1 | ... | strip | EOI
//!
//! table: 0xff 0xef | length u16 | "Headwater\0" | version 2 u8 | bytes of each row of strips u24 ...      all big-endian
//! ```
//!
//! A row's bytes include the marker behind it. Why a table: the rows above a crop need not be searched, nor read. Why not
//! of every strip: with two bytes for each it takes 1 to 2 % of a small photo, and finding them in a row that is copied
//! anyway takes little. It stays behind when a crop is cut out.

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

/// What the header says. Offsets are within the bytes that it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) grid: Grid,
    /// As EXIF counts, 1 to 8.
    pub(crate) orientation: u8,
    /// MCUs of a strip: a divisor of those of a row.
    pub(super) interval: u32,
    /// The table's marker segment, whole.
    pub(super) record: Range<usize>,
    /// The frame header's marker.
    pub(super) frame: usize,
    /// The first strip.
    pub(super) data: usize,
}

/// An entry of the table.
pub(super) type RowLength = [u8; 3];

/// Bytes of a marker between two strips, or at the end.
pub(super) const MARKER: usize = 2;

/// How a table begins. Version 1 took photos for upright that say in XMP, or in EXIF of another type, that they are not.
const MAGIC: &[u8] = b"Headwater\0\x02";

// === impl Index ===

impl Index {
    /// Reads the header of what [`write_table`] was put into, from the first of its `length` bytes: `start` must hold the
    /// header whole. Nothing behind that is looked at.
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

    /// Whether the table fits picture and length: then every strip lies within it.
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

    /// Memory that decoding the photo takes, all `bytes` of it and the RGB pixels included; and what our own decoder takes
    /// over and above that.
    pub(crate) fn memory(&self, bytes: u64) -> (ByteCount, ByteCount) {
        memory::indexed(self.grid.size, self.orientation != UPRIGHT, bytes)
    }

    /// How long each row of strips is.
    pub(super) fn rows<'a>(&self, start: &'a [u8]) -> &'a [RowLength] {
        let table = start.get(self.record.clone()).and_then(|record| record.get(4 + MAGIC.len()..));
        table.unwrap_or_default().as_chunks().0
    }
}

/// Bytes of a row, its last marker included.
pub(super) fn length(row: RowLength) -> usize {
    let [high, middle, low] = row;
    u32::from_be_bytes([0, high, middle, low]) as usize
}

/// Bytes of so many rows.
pub(super) fn together(rows: &[RowLength]) -> usize {
    rows.iter().copied().map(length).sum()
}

/// The table of a scan's data, which end with the end of the image, and have so many strips in a row; `None` where a row
/// or the table is too long.
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
