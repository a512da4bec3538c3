//! Cutting a piece out of a restart-indexed JPEG: its strips are copied, the size in its frame header is patched, and its
//! restart markers are counted anew. Nothing is decoded, and nothing allocated but the result.

use headwater_types::PixelBox;

use super::index::{Index, MARKER, RST0, extent};
use crate::error::ImageError;
use crate::format::Format;

/// Offset of height and width in a frame header, from its marker on.
const FRAME_SIZE: usize = 5;
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

/// The strips of `bytes`, which `index` was read from, that cover `wanted`, in stored coordinates; and the box that they
/// fill.
pub(crate) fn slice(bytes: &[u8], index: &Index, wanted: PixelBox) -> Result<(Vec<u8>, PixelBox), ImageError> {
    let cover = index.grid.cover(wanted, index.interval);
    let per_row = index.strips() as usize;
    let (left, right) = (cover.strips.start as usize, cover.strips.end as usize);
    let (above, below) = (cover.rows.start as usize * per_row, cover.rows.end as usize * per_row);
    let lengths = index.lengths(bytes);
    let (Some(skipped), Some(rows)) = (lengths.get(..above), lengths.get(above..below)) else { return Err(broken()) };
    let rows = rows.chunks_exact(per_row);
    let head = [bytes.get(..index.record.start), bytes.get(index.record.end..index.data)];
    let [Some(before), Some(after)] = head else { return Err(broken()) };
    let data: usize = rows.clone().map(|row| extent(&row[left..right])).sum();

    let mut out = Vec::with_capacity(before.len() + after.len() + data);
    out.extend_from_slice(before);
    out.extend_from_slice(after);
    let frame = index.frame - if index.frame > index.record.start { index.record.len() } else { 0 };
    let size = out.get_mut(frame + FRAME_SIZE..frame + FRAME_SIZE + 4).ok_or_else(broken)?;
    // Both fit: a piece is no larger than the picture, whose own size was read from here.
    size[..2].copy_from_slice(&(cover.pixels.height as u16).to_be_bytes());
    size[2..].copy_from_slice(&(cover.pixels.width as u16).to_be_bytes());

    let mut at = index.data + extent(skipped);
    let mut count = 0_u8;
    for row in rows {
        let start = at + extent(&row[..left]);
        let strips = &row[left..right];
        let from = out.len();
        out.extend_from_slice(bytes.get(start..start + extent(strips)).ok_or_else(broken)?);
        let mut place = from;
        for &length in strips {
            place += usize::from(u16::from_be_bytes(length));
            match &mut out[place..place + MARKER] {
                [0xff, marker] => *marker = RST0 | count & 7,
                _ => return Err(broken()),
            }
            count = count.wrapping_add(1);
            place += MARKER;
        }
        at += extent(row);
    }
    let end = out.len() - MARKER;
    out[end..].copy_from_slice(&END_OF_IMAGE);
    Ok((out, cover.pixels))
}

fn broken() -> ImageError {
    ImageError::malformed(Format::Jpeg, "not as it was indexed: a restart marker is missing")
}
