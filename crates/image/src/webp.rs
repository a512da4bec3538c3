//! WebP to RGB8: lossy and lossless, alpha dropped, the first frame of an animation.

use std::io::Cursor;

use headwater_types::{ByteCount, ImageLimits, Size};
use image_webp::WebPDecoder;

use crate::error::ImageError;
use crate::exif;
use crate::format::Format;
use crate::limits;

/// What the container says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Container {
    pub(crate) size: Size,
    pub(crate) orientation: u8,
}

const RIFF_HEADER: usize = 12;
/// Bytes a pixel that the decoder may hold beside the RGB pixels: luma, chroma and an RGBA frame and canvas. Lossless
/// pictures without alpha take one RGBA frame, lossy ones without alpha luma and chroma only; animations take all.
const BYTES_PER_PIXEL: u64 = 10;

// === impl Container ===

impl Container {
    /// Reads the chunk headers. Never allocates.
    pub(crate) fn read(bytes: &[u8], limits: &ImageLimits) -> Result<Self, ImageError> {
        let (kind, data, mut at) = chunk(bytes, RIFF_HEADER).ok_or_else(|| malformed("it ends in its header"))?;
        let size = size(kind, data).ok_or_else(|| malformed("its first chunk has no size"))?;
        if size.pixels() == 0 {
            return Err(malformed("it is empty"));
        }
        limits::check_size(size, limits)?;
        let mut orientation = exif::UPRIGHT;
        if kind == b"VP8X" {
            while let Some((kind, data, behind)) = chunk(bytes, at) {
                if kind == b"EXIF" {
                    orientation = exif::orientation(data);
                    break;
                }
                at = behind;
            }
        }
        Ok(Self { size, orientation })
    }

    /// Memory that decoding takes beside the encoded bytes and the RGB pixels.
    pub(crate) fn working_memory(&self) -> u64 {
        self.size.pixels() * BYTES_PER_PIXEL
    }
}

/// Kind, data (as much as there is) and end of the chunk at `at`.
fn chunk(bytes: &[u8], at: usize) -> Option<(&[u8; 4], &[u8], usize)> {
    let (kind, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let data = &rest[..length.min(rest.len())];
    // Chunks are padded to an even length.
    Some((kind, data, at.checked_add(8)?.checked_add(length)?.checked_add(length % 2)?))
}

/// Size of the canvas, by the first chunk.
fn size(kind: &[u8; 4], data: &[u8]) -> Option<Size> {
    let byte = |at: usize| data.get(at).copied().map(u32::from);
    match kind {
        b"VP8 " => {
            let side = |at: usize| Some((byte(at)? | byte(at + 1)? << 8) & 0x3fff);
            Some(Size { width: side(6)?, height: side(8)? })
        }
        b"VP8L" => {
            let bits = byte(1)? | byte(2)? << 8 | byte(3)? << 16 | byte(4)? << 24;
            Some(Size { width: (bits & 0x3fff) + 1, height: (bits >> 14 & 0x3fff) + 1 })
        }
        b"VP8X" => {
            let side = |at: usize| Some((byte(at)? | byte(at + 1)? << 8 | byte(at + 2)? << 16) + 1);
            Some(Size { width: side(4)?, height: side(7)? })
        }
        _ => None,
    }
}

/// Decodes into `out`, of the size in the header.
pub(crate) fn decode(
    bytes: &[u8],
    container: &Container,
    memory: ByteCount,
    raw: &mut Vec<u8>,
    out: &mut [u8],
) -> Result<(), ImageError> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|error| malformed(error.to_string()))?;
    decoder.set_memory_limit(memory.as_usize());
    let (width, height) = decoder.dimensions();
    if (Size { width, height }) != container.size {
        return Err(malformed("its headers disagree on its size"));
    }
    if !decoder.has_alpha() {
        return decoder.read_image(out).map_err(|error| malformed(error.to_string()));
    }
    raw.resize(container.size.pixels() as usize * 4, 0);
    decoder.read_image(raw).map_err(|error| malformed(error.to_string()))?;
    for (pixel, rgb) in raw.as_chunks::<4>().0.iter().zip(out.as_chunks_mut::<3>().0) {
        *rgb = [pixel[0], pixel[1], pixel[2]];
    }
    Ok(())
}

fn malformed(reason: impl Into<String>) -> ImageError {
    ImageError::malformed(Format::WebP, reason)
}
