//! Cutting a piece out of a restart-indexed JPEG: its strips are copied, the size in its frame header is patched, and
//! its restart markers are counted anew. Nothing is decoded, and nothing allocated but the result.

use std::ops::Range;

use headwater_types::{Format, PixelBox};

use super::grid::Cover;
use super::index::{Index, MARKER, RowLength, length, together};
use super::markers::{END_OF_IMAGE, RST0};
use super::strips::Markers;
use crate::error::ImageError;

/// The rows of strips that a piece is cut from.
pub(crate) struct StripRows<'a> {
    cover: Cover,
    lengths: &'a [RowLength],
    /// The place of the rows in the photo's bytes.
    pub(crate) place: Range<usize>,
}

/// Offset of height and width in a frame header, from its marker on.
const FRAME_SIZE: usize = 5;

/// The rows of strips that cover `wanted`, in stored coordinates, of the photo that begins with `start`, from which
/// `index` was read.
pub(crate) fn rows<'a>(start: &'a [u8], index: &Index, wanted: PixelBox) -> Result<StripRows<'a>, ImageError> {
    let cover = index.grid.cover(wanted, index.interval);
    let all = index.rows(start);
    let above = cover.rows.start as usize;
    let (Some(skipped), Some(lengths)) = (all.get(..above), all.get(above..cover.rows.end as usize)) else {
        return Err(broken());
    };
    let first = index.data + together(skipped);
    Ok(StripRows { cover, lengths, place: first..first + together(lengths) })
}

/// A JPEG of the strips of these rows that cover the wanted box, and the box of their pixels. `start` holds the photo's
/// header, `data` the rows.
pub(crate) fn slice(
    start: &[u8],
    index: &Index,
    rows: &StripRows<'_>,
    data: &[u8],
) -> Result<(Vec<u8>, PixelBox), ImageError> {
    let StripRows { cover, lengths, .. } = rows;
    let head = [start.get(..index.record.start), start.get(index.record.end..index.data)];
    let [Some(before), Some(after)] = head else { return Err(broken()) };

    // There is room for whole rows, of which the strips are a part. The rest is given back when they have been copied.
    let mut out = Vec::with_capacity(before.len() + after.len() + data.len());
    out.extend_from_slice(before);
    out.extend_from_slice(after);
    let frame = index.frame - if index.frame > index.record.start { index.record.len() } else { 0 };
    let size = out.get_mut(frame + FRAME_SIZE..frame + FRAME_SIZE + 4).ok_or_else(broken)?;
    // Both fit into 16 bits: a piece is no larger than the picture, whose own size was read from here.
    size[..2].copy_from_slice(&(cover.pixels.height as u16).to_be_bytes());
    size[2..].copy_from_slice(&(cover.pixels.width as u16).to_be_bytes());

    let (mut kept, mut data) = (0_u8, data);
    for &row in *lengths {
        let (row, below) = data.split_at_checked(length(row)).ok_or_else(broken)?;
        data = below;
        let mut markers = Markers::new(row);
        let mut start = match cover.strips.start {
            0 => 0,
            skipped => markers.nth(skipped as usize - 1).ok_or_else(broken)? + MARKER,
        };
        for _ in cover.strips.clone() {
            let end = markers.next().ok_or_else(broken)?;
            out.extend_from_slice(row.get(start..end).ok_or_else(broken)?);
            out.extend_from_slice(&[0xff, RST0 | kept & 7]);
            kept = kept.wrapping_add(1);
            start = end + MARKER;
        }
    }
    let end = out.len() - MARKER;
    out[end..].copy_from_slice(&END_OF_IMAGE);
    out.shrink_to_fit();
    Ok((out, cover.pixels))
}

fn broken() -> ImageError {
    ImageError::malformed(Format::Jpeg, "not as it was indexed: a restart marker is missing")
}
