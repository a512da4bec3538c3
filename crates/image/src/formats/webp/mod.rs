//! WebP to RGB8: lossy and lossless, alpha dropped, the first frame of an animation on black.
//!
//! ```text
//! RIFF | VP8 or VP8L                                    a plain picture
//! RIFF | VP8X canvas | ... | ALPH | VP8 or VP8L | EXIF  an extended one
//! RIFF | VP8X canvas | ... | ANMF place | ALPH | VP8 or VP8L | ANMF ...
//! ```
//!
//! Only the chunk with the colours is decoded, as a plain picture of its own. Alpha would be thrown away, and
//! compositing a frame onto a transparent canvas would lose the colours below it, which Pillow keeps.

mod chunk;
mod container;

use std::io::Cursor;

use headwater_types::{ByteCount, Format, Size};
use image_webp::WebPDecoder;

pub(super) use container::Container;

use chunk::chunk;

use crate::error::ImageError;
use crate::excerpt::Excerpt;
use crate::rgb::Rgb8;

/// Whether content begins as a WebP does.
pub(super) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP")
}

/// Decodes the first frame into `out`, which has the size of the canvas. `raw` is room for a picture with alpha.
pub(super) fn decode(
    container: &Container,
    excerpt: &Excerpt<'_>,
    raw: &mut Vec<u8>,
    out: &mut [u8],
) -> Result<(), ImageError> {
    let Excerpt { bytes, memory, .. } = *excerpt;
    if container.is_plain() {
        return decode_plain(bytes, container.size, memory, raw, out);
    }
    let colors = chunk(bytes, container.colors).ok_or_else(|| malformed("it has no colours"))?;
    let plain = colors.alone();
    if container.frame_size() == container.size {
        return decode_plain(&plain, container.size, memory, raw, out);
    }
    let frame_row = container.place.width as usize * Rgb8::CHANNELS;
    let mut frame = vec![0; frame_row * container.place.height as usize];
    decode_plain(&plain, container.frame_size(), memory, raw, &mut frame)?;
    out.fill(0);
    let left = container.place.x as usize * Rgb8::CHANNELS;
    let rows = out.chunks_exact_mut(container.size.width as usize * Rgb8::CHANNELS).skip(container.place.y as usize);
    for (row, frame) in rows.zip(frame.chunks_exact(frame_row)) {
        row[left..left + frame_row].copy_from_slice(frame);
    }
    Ok(())
}

fn decode_plain(
    bytes: &[u8],
    size: Size,
    memory: ByteCount,
    raw: &mut Vec<u8>,
    out: &mut [u8],
) -> Result<(), ImageError> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|error| malformed(error.to_string()))?;
    decoder.set_memory_limit(memory.as_usize());
    let (width, height) = decoder.dimensions();
    if (Size { width, height }) != size {
        return Err(malformed("its headers disagree on its size"));
    }
    if !decoder.has_alpha() {
        return decoder.read_image(out).map_err(|error| malformed(error.to_string()));
    }
    raw.resize(size.pixels() as usize * 4, 0);
    decoder.read_image(raw).map_err(|error| malformed(error.to_string()))?;
    for (pixel, rgb) in raw.as_chunks::<4>().0.iter().zip(out.as_chunks_mut::<{ Rgb8::CHANNELS }>().0) {
        *rgb = [pixel[0], pixel[1], pixel[2]];
    }
    Ok(())
}

fn malformed(reason: impl Into<String>) -> ImageError {
    ImageError::malformed(Format::WebP, reason)
}
