//! Bytes to RGB8, by the header that was read before.

use std::time::Instant;

use headwater_types::recipe::Orientation;
use headwater_types::{ImageLimits, PixelBox, Scale};

use crate::error::ImageError;
use crate::excerpt::Excerpt;
use crate::exif::UPRIGHT;
use crate::formats::jpeg;
use crate::header::{Header, read_header};
use crate::orient::{stored_box, turn, turned_box};
use crate::rgb::{Rgb8, rgb_len};
use crate::scratch::{DecoderBuffers, Scratch};

/// Decodes a photo, turned upright where `orientation` asks for it.
///
/// # Errors
/// Those of [`read_header`], and `Malformed` where the pixels cannot be decoded.
pub fn decode(
    bytes: &[u8],
    orientation: Orientation,
    limits: &ImageLimits,
    scratch: &mut Scratch,
) -> Result<Rgb8, ImageError> {
    let header = read_header(bytes, orientation, limits)?;
    decode_at(bytes, &header, Scale::WHOLE, limits, scratch)
}

/// Reads the coefficients of a JPEG and drops them: the part of decoding that nothing can leave out, to measure it.
///
/// # Errors
/// Those of [`read_header`]; `Malformed` for a photo that is no JPEG, or whose data are damaged.
pub fn read_coefficients(bytes: &[u8], limits: &ImageLimits, scratch: &mut Scratch) -> Result<(), ImageError> {
    let header = read_header(bytes, Orientation::Stored, limits)?;
    let Some(frame) = header.detail.jpeg() else {
        return Err(ImageError::malformed(header.format, "it has no coefficients"));
    };
    jpeg::entropy(bytes, frame, limits.max_sample_memory, &mut scratch.decoder.jpeg)
}

/// Decodes the whole photo, upright, at a scale.
pub(crate) fn decode_at(
    bytes: &[u8],
    header: &Header,
    scale: Scale,
    limits: &ImageLimits,
    scratch: &mut Scratch,
) -> Result<Rgb8, ImageError> {
    let size = scale.size(header.size);
    let excerpt = Excerpt { bytes, scale, area: PixelBox::whole(size), memory: limits.max_sample_memory };
    let mut pixels = vec![0; rgb_len(size)];
    let outcome = decode_into(header, excerpt, &mut scratch.decoder, &mut pixels);
    scratch.trim();
    outcome?;
    Rgb8::new(size, pixels).ok_or_else(|| ImageError::malformed(header.format, "it is empty"))
}

/// Decodes at least the area of `excerpt`, which is in coordinates of the upright photo, into the front of `out`. Gives
/// the box that was decoded, in the same coordinates; the format decides how much larger it is.
pub(crate) fn decode_into(
    header: &Header,
    excerpt: Excerpt<'_>,
    buffers: &mut DecoderBuffers,
    out: &mut Vec<u8>,
) -> Result<PixelBox, ImageError> {
    let started = Instant::now();
    let outcome = decode_upright(header, excerpt, buffers, out);
    buffers.spent += started.elapsed();
    outcome
}

fn decode_upright(
    header: &Header,
    excerpt: Excerpt<'_>,
    buffers: &mut DecoderBuffers,
    out: &mut Vec<u8>,
) -> Result<PixelBox, ImageError> {
    let DecoderBuffers { jpeg, raw, stored, .. } = buffers;
    if header.orientation == UPRIGHT {
        return header.detail.decode(&excerpt, jpeg, raw, out);
    }
    let area = stored_box(excerpt.area, header.size, header.orientation);
    let decoded = header.detail.decode(&Excerpt { area, ..excerpt }, jpeg, raw, stored)?;
    turn(stored, decoded.size(), header.orientation, out);
    Ok(turned_box(decoded, header.stored, header.orientation))
}
