//! Cutting a piece out of a restart-indexed JPEG: its strips are copied, the size in its frame header is patched, and its
//! restart markers are counted anew. Nothing is decoded, and nothing allocated but the result.

use headwater_types::PixelBox;

use super::index::{Index, MARKER, RST0, length};
use super::strips::Markers;
use crate::error::ImageError;
use crate::format::Format;

/// Offset of height and width in a frame header, from its marker on.
const FRAME_SIZE: usize = 5;
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

/// The strips of `bytes`, which `index` was read from, that cover `wanted`, in stored coordinates; and the box that they
/// fill.
pub(crate) fn slice(bytes: &[u8], index: &Index, wanted: PixelBox) -> Result<(Vec<u8>, PixelBox), ImageError> {
    let cover = index.grid.cover(wanted, index.interval);
    let rows = index.rows(bytes);
    let above = cover.rows.start as usize;
    let (Some(skipped), Some(rows)) = (rows.get(..above), rows.get(above..cover.rows.end as usize)) else {
        return Err(broken());
    };
    let head = [bytes.get(..index.record.start), bytes.get(index.record.end..index.data)];
    let [Some(before), Some(after)] = head else { return Err(broken()) };

    // Room for whole rows: how much of them the strips are is known when they have been copied, and the rest is given back.
    let room: usize = rows.iter().copied().map(length).sum();
    let mut out = Vec::with_capacity(before.len() + after.len() + room);
    out.extend_from_slice(before);
    out.extend_from_slice(after);
    let frame = index.frame - if index.frame > index.record.start { index.record.len() } else { 0 };
    let size = out.get_mut(frame + FRAME_SIZE..frame + FRAME_SIZE + 4).ok_or_else(broken)?;
    // Both fit: a piece is no larger than the picture, whose own size was read from here.
    size[..2].copy_from_slice(&(cover.pixels.height as u16).to_be_bytes());
    size[2..].copy_from_slice(&(cover.pixels.width as u16).to_be_bytes());

    let mut at = index.data + skipped.iter().copied().map(length).sum::<usize>();
    let mut kept = 0_u8;
    for &row in rows {
        let row = bytes.get(at..at + length(row)).ok_or_else(broken)?;
        at += row.len();
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
