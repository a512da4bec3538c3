//! Bytes to RGB8, by the header that was read before.

use std::time::Instant;

use headwater_types::recipe::Orientation;
use headwater_types::{ByteCount, ImageLimits};

use crate::error::ImageError;
use crate::exif::UPRIGHT;
use crate::header::{Detail, Header, read_header};
use crate::jpeg;
use crate::orient::turn;
use crate::png;
use crate::rgb::{Rgb8, rgb_len};
use crate::scratch::{DecoderBuffers, Scratch};
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
    let mut pixels = vec![0; rgb_len(header.size)];
    let outcome = decode_into(bytes, &header, header.size.height, limits, &mut scratch.decoder, &mut pixels);
    scratch.trim();
    outcome?;
    Rgb8::new(header.size, pixels).ok_or_else(|| ImageError::malformed(header.format, "it is empty"))
}

/// Decodes at least the first `rows` rows into the front of `out`, which is resized to the whole photo. Rows below are
/// whatever `out` held before, where decoding them could be saved.
pub(crate) fn decode_into(
    bytes: &[u8],
    header: &Header,
    rows: u32,
    limits: &ImageLimits,
    buffers: &mut DecoderBuffers,
    out: &mut Vec<u8>,
) -> Result<(), ImageError> {
    let started = Instant::now();
    let outcome = decode_upright(bytes, header, rows, limits.max_sample_memory, buffers, out);
    buffers.spent += started.elapsed();
    outcome
}

fn decode_upright(
    bytes: &[u8],
    header: &Header,
    rows: u32,
    memory: ByteCount,
    buffers: &mut DecoderBuffers,
    out: &mut Vec<u8>,
) -> Result<(), ImageError> {
    out.resize(rgb_len(header.size), 0);
    if header.orientation == UPRIGHT {
        return decode_stored(bytes, header, rows, memory, &mut buffers.raw, out);
    }
    buffers.stored.resize(rgb_len(header.stored), 0);
    decode_stored(bytes, header, header.stored.height, memory, &mut buffers.raw, &mut buffers.stored)?;
    turn(&buffers.stored, header.stored, header.orientation, out);
    Ok(())
}

fn decode_stored(
    bytes: &[u8],
    header: &Header,
    rows: u32,
    memory: ByteCount,
    raw: &mut Vec<u8>,
    out: &mut [u8],
) -> Result<(), ImageError> {
    match &header.detail {
        Detail::Jpeg(frame) => jpeg::decode(bytes, frame, rows, memory, raw, out),
        Detail::Png(chunks) => png::decode(bytes, chunks, raw, out),
        Detail::WebP(container) => webp::decode(bytes, container, memory, raw, out),
    }
}
