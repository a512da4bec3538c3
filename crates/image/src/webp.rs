//! WebP to RGB8: lossy and lossless, alpha dropped, the first frame of an animation on black.
//!
//! ```text
//! RIFF | VP8 or VP8L                                    a plain picture
//! RIFF | VP8X canvas | ... | ALPH | VP8 or VP8L | EXIF  an extended one
//! RIFF | VP8X canvas | ... | ANMF place | ALPH | VP8 or VP8L | ANMF ...
//! ```
//!
//! Only the chunk with the colours is decoded, as a plain picture of its own: alpha would be thrown away, and compositing
//! a frame onto a transparent canvas would lose the colours below it, which Pillow keeps.

use std::io::Cursor;

use headwater_types::{ByteCount, Format, ImageLimits, PixelBox, Size};
use image_webp::WebPDecoder;

use crate::error::ImageError;
use crate::exif::UPRIGHT;
use crate::limits;
use crate::rgb::Rgb8;
use crate::upright;

/// What the container says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Container {
    /// Size of the canvas.
    pub(crate) size: Size,
    pub(crate) orientation: u8,
    /// Where on the canvas the picture goes.
    place: PixelBox,
    /// Offset of the chunk that holds the colours, its header included.
    colors: usize,
}

const RIFF_HEADER: usize = 12;
const CHUNK_HEADER: usize = 8;
/// Flags of a VP8X chunk.
const HAS_EXIF: u8 = 0x08;
const HAS_XMP: u8 = 0x04;
/// Bytes of an ANMF chunk before its first inner chunk.
const FRAME_HEADER: usize = 16;
/// Bytes a pixel that the decoder may hold beside the RGB pixels: lossless pictures take one RGBA frame and a table of
/// predictions, lossy ones luma and chroma.
const BYTES_PER_PIXEL: u64 = 6;

// === impl Container ===

impl Container {
    /// Reads the chunk headers. Never allocates.
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
                // The first of each, and where the container says that there is one, as for libwebp.
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

    /// The file is what the decoder takes, as it is.
    fn is_plain(&self) -> bool {
        self.colors == RIFF_HEADER
    }

    fn frame_size(&self) -> Size {
        Size { width: self.place.width, height: self.place.height }
    }
}

/// A chunk: its kind, its data (as much as there is), and where the next begins.
struct Chunk<'a> {
    kind: &'a [u8; 4],
    data: &'a [u8],
    end: usize,
}

/// The chunk at `at`; `None` where the file ends before its header does.
fn chunk(bytes: &[u8], at: usize) -> Option<Chunk<'_>> {
    let (kind, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let data = &rest[..length.min(rest.len())];
    // Chunks are padded to an even length.
    let end = at.checked_add(CHUNK_HEADER)?.checked_add(length)?.checked_add(length % 2)?;
    Some(Chunk { kind, data, end })
}

/// Offset of the chunk with the colours, between two offsets.
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

/// Three bytes, little endian.
fn three(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..at + 3)?;
    Some(bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}

/// Where a frame goes: halves of its corner, and its size less one.
fn frame_place(data: &[u8]) -> Option<PixelBox> {
    let [x, y, width, height] = [three(data, 0)? * 2, three(data, 3)? * 2, three(data, 6)? + 1, three(data, 9)? + 1];
    Some(PixelBox { x, y, width, height })
}

fn fits(place: PixelBox, canvas: Size) -> bool {
    place.x + place.width <= canvas.width && place.y + place.height <= canvas.height
}

/// Size of the canvas, by the first chunk.
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

/// Decodes into `out`, of the size of the canvas.
pub(crate) fn decode(
    bytes: &[u8],
    container: &Container,
    memory: ByteCount,
    raw: &mut Vec<u8>,
    out: &mut [u8],
) -> Result<(), ImageError> {
    if container.is_plain() {
        return decode_plain(bytes, container.size, memory, raw, out);
    }
    let colors = chunk(bytes, container.colors).ok_or_else(|| malformed("it has no colours"))?;
    let plain = plain_file(&colors);
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

/// A file of one chunk.
fn plain_file(colors: &Chunk<'_>) -> Vec<u8> {
    // A chunk that the end of the file has cut short stays too short for its picture, and fails there.
    let length = colors.data.len() as u32;
    let mut file = Vec::with_capacity(RIFF_HEADER + CHUNK_HEADER + colors.data.len() + 1);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(4 + CHUNK_HEADER as u32 + length + length % 2).to_le_bytes());
    file.extend_from_slice(b"WEBP");
    file.extend_from_slice(colors.kind);
    file.extend_from_slice(&length.to_le_bytes());
    file.extend_from_slice(colors.data);
    file.resize(file.len() + colors.data.len() % 2, 0);
    file
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
