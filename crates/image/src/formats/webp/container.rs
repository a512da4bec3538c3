//! What the container of a WebP says: how large the picture is, and where its colours lie.

use headwater_types::{Format, ImageLimits, PixelBox, Size};

use super::chunk::{CHUNK_HEADER, RIFF_HEADER, chunk};
use crate::error::ImageError;
use crate::exif::UPRIGHT;
use crate::limits;
use crate::upright;

/// What the container of a WebP says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Container {
    /// Size of the canvas.
    pub(crate) size: Size,
    pub(crate) orientation: u8,
    /// The place of the picture on the canvas.
    pub(super) place: PixelBox,
    /// Offset of the chunk that holds the colours, its header included.
    pub(super) colors: usize,
}

/// Flags of a VP8X chunk.
const HAS_EXIF: u8 = 0x08;
const HAS_XMP: u8 = 0x04;
/// Bytes of an ANMF chunk before its first inner chunk.
const FRAME_HEADER: usize = 16;
/// Bytes of each pixel that the decoder may hold beside the RGB pixels: an RGBA frame and a table of predictions for
/// lossless pictures, luma and chroma for lossy ones.
const BYTES_PER_PIXEL: u64 = 6;

// === impl Container ===

impl Container {
    /// Reads the headers of the chunks. Allocates nothing.
    pub(crate) fn read(bytes: &[u8], limits: &ImageLimits) -> Result<Self, ImageError> {
        let first = chunk(bytes, RIFF_HEADER).ok_or_else(|| malformed("it ends in its header"))?;
        let size = size(first.kind, first.data).ok_or_else(|| malformed("its first chunk has no size"))?;
        if size.pixels() == 0 {
            return Err(malformed("it is empty"));
        }
        limits::check_size(size, limits)?;
        let mut this = Self { size, orientation: UPRIGHT, place: PixelBox::whole(size), colors: RIFF_HEADER };
        if first.kind == b"VP8X" {
            let flags = first.data.first().copied().unwrap_or(0);
            this.read_extended(bytes, first.end, flags)?;
        }
        Ok(this)
    }

    fn read_extended<'a>(&mut self, bytes: &'a [u8], mut at: usize, flags: u8) -> Result<(), ImageError> {
        let (mut colors, mut exif, mut xmp) = (None, None, None);
        while let Some(next) = chunk(bytes, at) {
            match next.kind {
                b"VP8 " | b"VP8L" => {
                    colors.get_or_insert((at, self.place));
                }
                b"ANMF" if colors.is_none() => {
                    let place = frame_place(next.data).filter(|place| fits(*place, self.size));
                    let place = place.ok_or_else(|| malformed("its first frame is not on the canvas"))?;
                    let inside = at + CHUNK_HEADER + FRAME_HEADER;
                    let found = find_colors(bytes, inside, next.end);
                    colors = Some((found.ok_or_else(|| malformed("its first frame has no colours"))?, place));
                }
                // The first EXIF and the first XMP count, where the container's flags announce them, as for libwebp.
                b"EXIF" if flags & HAS_EXIF > 0 => exif = exif.or(Some(next.data)),
                b"XMP " if flags & HAS_XMP > 0 => xmp = xmp.or(Some(next.data)),
                _ => {}
            }
            at = next.end;
        }
        let full = |data: Option<&'a [u8]>| data.filter(|data| !data.is_empty());
        self.orientation = upright::orientation(full(exif), full(xmp));
        (self.colors, self.place) = colors.ok_or_else(|| malformed("it has no colours"))?;
        Ok(())
    }

    /// Memory that decoding takes beside the encoded bytes and the RGB pixels of the canvas.
    pub(crate) fn working_memory(&self, bytes: &[u8]) -> u64 {
        let frame = if self.is_plain() { 0 } else { self.frame_size().pixels() * 3 + bytes.len() as u64 };
        self.frame_size().pixels() * BYTES_PER_PIXEL + frame
    }

    /// Whether the decoder takes the file as it is.
    pub(super) fn is_plain(&self) -> bool {
        self.colors == RIFF_HEADER
    }

    /// Size of the picture that goes on the canvas.
    pub(super) fn frame_size(&self) -> Size {
        Size { width: self.place.width, height: self.place.height }
    }
}

/// Offset of the chunk with the colours, searched from `at` to `end`.
fn find_colors(bytes: &[u8], mut at: usize, end: usize) -> Option<usize> {
    while at < end {
        let next = chunk(bytes, at)?;
        if matches!(next.kind, b"VP8 " | b"VP8L") {
            return Some(at);
        }
        at = next.end;
    }
    None
}

/// The number in three bytes, little endian.
fn three(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..at + 3)?;
    Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}

/// The place of a frame, which its chunk states as halves of the corner, and the size less one.
fn frame_place(data: &[u8]) -> Option<PixelBox> {
    let [x, y, width, height] = [three(data, 0)? * 2, three(data, 3)? * 2, three(data, 6)? + 1, three(data, 9)? + 1];
    Some(PixelBox { x, y, width, height })
}

fn fits(place: PixelBox, canvas: Size) -> bool {
    place.x + place.width <= canvas.width && place.y + place.height <= canvas.height
}

/// Size of the canvas, which the first chunk states.
fn size(kind: &[u8; 4], data: &[u8]) -> Option<Size> {
    match kind {
        b"VP8 " => {
            let sides = data.get(6..10)?;
            let side = |at: usize| u32::from(u16::from_le_bytes([sides[at], sides[at + 1]]) & 0x3fff);
            Some(Size { width: side(0), height: side(2) })
        }
        b"VP8L" => {
            let bits = u32::from_le_bytes(data.get(1..5)?.try_into().ok()?);
            Some(Size { width: (bits & 0x3fff) + 1, height: (bits >> 14 & 0x3fff) + 1 })
        }
        b"VP8X" => Some(Size { width: three(data, 4)? + 1, height: three(data, 7)? + 1 }),
        _ => None,
    }
}

fn malformed(reason: impl Into<String>) -> ImageError {
    ImageError::malformed(Format::WebP, reason)
}
