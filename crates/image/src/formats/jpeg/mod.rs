//! JPEG: markers are walked here, and pixels decoded by our own decoder, or by libjpeg-turbo where ours has none.
//!
//! As for Pillow, a photo of which libjpeg warns (corrupt data inside a scan) is decoded, and a photo that is an error
//! to libjpeg, or that ends before its pixels do, is not. CMYK is taken as Adobe writes it, inverted.
//!
//! The restart-indexed JPEG is here too: [`rewrite`] makes it, and [`slice`] cuts it.

mod markers;

mod frame_header;
mod grid;
mod metadata;

mod frame;

mod memory;

mod samples;

mod decoder;

mod handle;
mod turbo;

mod fallback;

mod picture;
mod transform;

mod index;
mod interval;
mod rewrite;
mod slice;
mod strips;

#[cfg(test)]
mod tests;

use headwater_types::{ByteCount, Format, ImageLimits, PixelBox};

pub(crate) use decoder::Buffers;
#[cfg(test)]
pub(crate) use decoder::ZIGZAG;
pub(crate) use fallback::decode_cmyk;
pub(crate) use frame::Frame;
pub(crate) use index::Index;
pub(crate) use markers::{END_OF_IMAGE, SIGNATURE};
pub(crate) use memory::{most_rewritten, own_memory, rewrite_memory, working_memory};
pub(crate) use rewrite::rewrite;
pub(crate) use slice::{StripRows, rows, slice};
use transform::Input;

use crate::error::ImageError;
use crate::excerpt::Excerpt;
use crate::limits;

/// Reads the markers, and checks size and scans against the limits.
pub(crate) fn read_frame(bytes: &[u8], limits: &ImageLimits) -> Result<Frame, ImageError> {
    let frame = Frame::read(bytes)?;
    limits::check_size(frame.size, limits)?;
    limits::check_scans(frame.size, frame.scans, frame.passes(), limits)?;
    Ok(frame)
}

/// Decodes the area of `excerpt`, and as many pixels around it as it takes to get it right, into the front of `out`.
/// Gives the box that was decoded. `raw` is room for pixels in another layout.
pub(crate) fn decode(
    frame: &Frame,
    excerpt: &Excerpt<'_>,
    buffers: &mut Buffers,
    raw: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<PixelBox, ImageError> {
    match decoder::decode(frame, excerpt, buffers, out) {
        Some(window) => Ok(window),
        None => fallback::decode(frame, excerpt, raw, out),
    }
}

/// Reads all coefficients and drops them: the part of decoding that nothing can leave out.
pub(crate) fn entropy(bytes: &[u8], frame: &Frame, memory: ByteCount, buffers: &mut Buffers) -> Result<(), ImageError> {
    if decoder::entropy(bytes, frame, buffers).is_some() {
        return Ok(());
    }
    let input = Input { jpeg: bytes, scans: frame.scans, memory };
    input.read().map_err(|_| ImageError::malformed(Format::Jpeg, "libjpeg has something to say against it"))
}
