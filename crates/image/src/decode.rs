//! Bytes to RGB8, by the header that was read before.

use std::time::Instant;

use headwater_types::recipe::Orientation;
use headwater_types::{ByteCount, ImageLimits, PixelBox, Scale};

use crate::error::ImageError;
use crate::exif::UPRIGHT;
use crate::header::{Detail, Header, read_header};
use crate::jpeg;
use crate::orient::{stored_box, turn, turned_box};
use crate::png;
use crate::rgb::{Rgb8, rgb_len};
use crate::scratch::{DecoderBuffers, Scratch, room};
use crate::webp;

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
/// Those of [`read_header`]; `Malformed` for what is no JPEG, or has damaged data.
pub fn read_coefficients(bytes: &[u8], limits: &ImageLimits, scratch: &mut Scratch) -> Result<(), ImageError> {
    let header = read_header(bytes, Orientation::Stored, limits)?;
    let Detail::Jpeg(frame) = &header.detail else {
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
    let mut pixels = vec![0; rgb_len(size)];
    let outcome = decode_into(bytes, header, scale, PixelBox::whole(size), limits, &mut scratch.decoder, &mut pixels);
    scratch.trim();
    outcome?;
    Rgb8::new(size, pixels).ok_or_else(|| ImageError::malformed(header.format, "it is empty"))
}

/// Decodes at least the pixels of `wanted`, in the upright photo, into the front of `out`. Gives the box that was decoded,
/// which is as much more as its format makes it.
pub(crate) fn decode_into(
    bytes: &[u8],
    header: &Header,
    scale: Scale,
    wanted: PixelBox,
    limits: &ImageLimits,
    buffers: &mut DecoderBuffers,
    out: &mut Vec<u8>,
) -> Result<PixelBox, ImageError> {
    let started = Instant::now();
    let outcome = decode_upright(bytes, header, scale, wanted, limits.max_sample_memory, buffers, out);
    buffers.spent += started.elapsed();
    outcome
}

fn decode_upright(
    bytes: &[u8],
    header: &Header,
    scale: Scale,
    wanted: PixelBox,
    memory: ByteCount,
    buffers: &mut DecoderBuffers,
    out: &mut Vec<u8>,
) -> Result<PixelBox, ImageError> {
    if header.orientation == UPRIGHT {
        return decode_stored(bytes, header, scale, wanted, memory, buffers, out);
    }
    let wanted = stored_box(wanted, header.size, header.orientation);
    let mut stored = std::mem::take(&mut buffers.stored);
    let decoded = decode_stored(bytes, header, scale, wanted, memory, buffers, &mut stored);
    buffers.stored = stored;
    let decoded = decoded?;
    turn(&buffers.stored, decoded.size(), header.orientation, out);
    Ok(turned_box(decoded, header.stored, header.orientation))
}

fn decode_stored(
    bytes: &[u8],
    header: &Header,
    scale: Scale,
    wanted: PixelBox,
    memory: ByteCount,
    buffers: &mut DecoderBuffers,
    out: &mut Vec<u8>,
) -> Result<PixelBox, ImageError> {
    let whole = PixelBox::whole(header.stored);
    let length = rgb_len(header.stored);
    match &header.detail {
        Detail::Jpeg(frame) => jpeg::decode(bytes, frame, scale, wanted, memory, buffers, out),
        Detail::Png(chunks) => png::decode(bytes, chunks, &mut buffers.raw, room(out, length)).map(|()| whole),
        Detail::WebP(container) => {
            webp::decode(bytes, container, memory, &mut buffers.raw, room(out, length)).map(|()| whole)
        }
    }
}
