//! Writing a JPEG as a restart-indexed one: the same coefficients, in strips that can be cut apart.
//!
//! Invariant: the result has been read again, and has the coefficients, the quantisation, the colours and the size of
//! the photo. Where anything might change the pixels, there is no result. Of the metadata only the orientation is kept;
//! decoding here ignores the others, ICC profiles included.

use headwater_types::ImageLimits;

use super::frame::Frame;
use super::index::{Index, write_table};
use super::interval::interval;
use super::markers::{APP0, APP1, APP14, SOS, segments};
use super::memory::{most_rewritten, rewrite_memory};
use super::picture::Picture;
use super::transform::{Input, TransformError};
use crate::exif;
use crate::unindexable::Unindexable;

/// Writes a photo with this frame anew, and reads it again.
pub(crate) fn rewrite(bytes: &[u8], frame: &Frame, limits: &ImageLimits) -> Result<(Vec<u8>, Index), Unindexable> {
    if frame.is_cmyk() {
        return Err(Unindexable::Cmyk);
    }
    if frame.coding().arithmetic {
        return Err(Unindexable::Arithmetic);
    }
    if !frame.complete {
        return Err(Unindexable::NoEnd);
    }
    let grid = frame.grid().ok_or(Unindexable::Sampling)?;
    if rewrite_memory(frame, bytes.len() as u64) > limits.max_sample_memory {
        return Err(Unindexable::Memory);
    }
    let picture = Picture::read(bytes).ok_or(Unindexable::Unfinished)?;
    let interval = interval(&grid, bytes.len());

    let memory = limits.max_sample_memory;
    let source = Input { jpeg: bytes, scans: frame.scans, memory };
    let room = most_rewritten(bytes.len() as u64) as usize;
    let (transformed, coefficients) = source.with_restarts(interval, room)?;
    let jpeg = insert(&transformed, grid.mcus.width / interval, frame.orientation)?;
    drop(transformed);
    // A crop may be all of the indexed photo, and a client takes no object above its limit.
    if jpeg.len() > room || jpeg.len() as u64 > limits.max_object.get() {
        return Err(Unindexable::Grew);
    }

    let result = Input { jpeg: &jpeg, scans: 1, memory };
    let same = Picture::read(&jpeg).is_some_and(|read| read == picture)
        && result.coefficients().is_ok_and(|read| read == coefficients);
    match Index::read(&jpeg, jpeg.len()) {
        Ok(index) if same && index.orientation == frame.orientation => Ok((jpeg, index)),
        _ => Err(Unindexable::Differs),
    }
}

/// Puts the table and, where the photo is turned, its orientation behind the first segment, which tells the colours.
fn insert(jpeg: &[u8], strips: u32, orientation: u8) -> Result<Vec<u8>, Unindexable> {
    let mut segments = segments(jpeg, 2);
    let first = segments.next().filter(|first| matches!(first.marker, APP0 | APP14)).ok_or(Unindexable::Differs)?;
    let scan = segments.find(|segment| segment.marker == SOS).ok_or(Unindexable::Differs)?;
    let (front, rest) = jpeg.split_at(first.end);
    let data = &jpeg[scan.end..];
    let table = write_table(data, strips as usize).ok_or(Unindexable::Strips)?;
    let exif = exif::block(orientation);
    let turn: &[&[u8]] = match orientation {
        exif::UPRIGHT => &[],
        _ => &[&[0xff, APP1, 0, exif.len() as u8 + 2], &exif],
    };
    Ok([&[front], turn, &[&table, rest]].concat().concat())
}

impl From<TransformError> for Unindexable {
    fn from(error: TransformError) -> Self {
        match error {
            TransformError::Warned => Self::Damaged,
            TransformError::NoRoom => Self::Grew,
            TransformError::Failed => Self::Untransformable,
        }
    }
}
