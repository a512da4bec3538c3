//! PNG to RGB8 as Pillow's `convert("RGB")` gives it.
//!
//! | stored | becomes |
//! |---|---|
//! | grey, 1, 2, 4 bits | scaled to 0..=255 |
//! | grey, 16 bits | clipped at 255: Pillow reads it as `I;16`, and converts that so |
//! | grey + alpha, RGB, RGBA, 16 bits | the high byte |
//! | palette | its colours; black where an index has none |
//! | alpha, tRNS | dropped, not composited |
//!
//! Gamma and ICC are not looked at, and text only for which way is up. Rows are converted as they come, so that only one raw row is held.

use std::io::Cursor;

use headwater_types::{Format, ImageLimits, Size};
use png::{Adam7Info, BitDepth, ColorType, DecodeOptions, Decoder, Reader, Transformations};

use crate::error::ImageError;
use crate::limits;
use crate::png_metadata::Metadata;
use crate::rgb::Rgb8;

/// What the chunks before the pixels say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunks {
    pub(crate) size: Size,
    pub(crate) orientation: u8,
    row_bytes: u64,
}

const SIGNATURE: usize = 8;
/// Inflate window, its output and the rows before and after filtering, which the decoder keeps several of.
const INFLATE_BYTES: u64 = 512 << 10;
const RAW_ROWS: u64 = 8;
/// What the decoder may allocate for chunks that it keeps: a palette, EXIF and a little.
const CHUNK_BYTES: usize = 1 << 20;

// === impl Chunks ===

impl Chunks {
    /// Reads all chunks but the pixels, over which it skips: what says which way is up may lie behind them. Allocates no more than a
    /// text of it takes that is packed.
    pub(crate) fn read(bytes: &[u8], limits: &ImageLimits) -> Result<Self, ImageError> {
        let first = Chunk::read(bytes, SIGNATURE).ok_or_else(|| malformed("it ends in its header"))?;
        let &[w3, w2, w1, w0, h3, h2, h1, h0, depth, color, ..] = first.data else {
            return Err(malformed("its header is too short"));
        };
        if first.kind != b"IHDR" {
            return Err(malformed("it does not begin with IHDR"));
        }
        first.check()?;
        let size = Size { width: u32::from_be_bytes([w3, w2, w1, w0]), height: u32::from_be_bytes([h3, h2, h1, h0]) };
        if size.pixels() == 0 {
            return Err(malformed("it is empty"));
        }
        limits::check_size(size, limits)?;
        let samples = match color {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        };
        let row_bytes = (u64::from(size.width) * samples * u64::from(depth)).div_ceil(8);
        let mut metadata = Metadata::default();
        let (mut pixels, mut frames) = (false, Frames::default());
        let mut at = first.end;
        while let Some(chunk) = Chunk::read(bytes, at) {
            pixels |= chunk.kind == b"IDAT";
            if chunk.kind == b"IEND" || (pixels && frames.end_at(&chunk)) {
                break;
            }
            if !pixels {
                chunk.check()?;
                frames.see(&chunk);
            }
            metadata.see(chunk.kind, chunk.data);
            at = chunk.end;
        }
        Ok(Self { size, orientation: metadata.orientation(), row_bytes })
    }

    /// Memory that decoding takes beside the encoded bytes and the RGB pixels.
    pub(crate) fn working_memory(&self) -> u64 {
        INFLATE_BYTES + self.row_bytes * RAW_ROWS
    }
}

/// What an animated PNG says before its first picture.
#[derive(Default)]
struct Frames {
    count: u32,
    /// Whether the picture is one of them.
    includes_first: bool,
}

// === impl Frames ===

impl Frames {
    fn see(&mut self, chunk: &Chunk<'_>) {
        match (chunk.kind, chunk.data) {
            (b"acTL", &[a, b, c, d, ..]) => self.count = u32::from_be_bytes([a, b, c, d]),
            (b"fcTL", _) => self.includes_first = true,
            _ => {}
        }
    }

    /// Whether a chunk behind the pixels belongs to the next frame, or is none: nothing is read from there on.
    fn end_at(&self, chunk: &Chunk<'_>) -> bool {
        let is_animated = self.count > u32::from(self.includes_first);
        let is_named = chunk.kind.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        !is_named || (chunk.kind == b"fcTL" && is_animated)
    }
}

/// A chunk: `length32 kind data crc32`, big endian, the CRC over kind and data.
struct Chunk<'a> {
    kind: &'a [u8; 4],
    data: &'a [u8],
    crc: u32,
    end: usize,
}

// === impl Chunk ===

impl<'a> Chunk<'a> {
    /// The chunk at `at`; `None` where the file ends before it does.
    fn read(bytes: &'a [u8], at: usize) -> Option<Self> {
        let (length, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (data, rest) = rest.split_at_checked(length)?;
        let (crc, _) = rest.split_first_chunk::<4>()?;
        Some(Self { kind, data, crc: u32::from_be_bytes(*crc), end: at.checked_add(length)?.checked_add(12)? })
    }

    /// Pillow refuses a file of which a chunk before the pixels has a wrong CRC.
    fn check(&self) -> Result<(), ImageError> {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(self.kind);
        hasher.update(self.data);
        if hasher.finalize() == self.crc { Ok(()) } else { Err(malformed("a chunk before its pixels fails its CRC")) }
    }
}

/// Decodes into `out`, of the size in the header.
pub(crate) fn decode(bytes: &[u8], chunks: &Chunks, raw: &mut Vec<u8>, out: &mut [u8]) -> Result<(), ImageError> {
    let mut options = DecodeOptions::default();
    options.set_ignore_text_chunk(true);
    options.set_ignore_iccp_chunk(true);
    // Pillow checks neither the checksums of the pixel chunks nor, once it has all rows, that of their contents.
    options.set_ignore_checksums(true);
    let mut decoder = Decoder::new_with_options(Cursor::new(bytes), options);
    decoder.set_limits(png::Limits { bytes: CHUNK_BYTES + chunks.row_bytes as usize * RAW_ROWS as usize });
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(|error| malformed(error.to_string()))?;
    let size = Size { width: reader.info().width, height: reader.info().height };
    if size != chunks.size {
        return Err(malformed("it has two headers"));
    }
    let row_bytes = reader.output_line_size(size.width).ok_or_else(|| malformed("its rows are too long"))?;
    raw.resize(row_bytes, 0);
    let convert = RowConverter::new(reader.info())?;
    if reader.info().interlaced {
        interlaced(&mut reader, &convert, raw, out)
    } else {
        sequential(&mut reader, &convert, raw, out)
    }
}

fn sequential(
    reader: &mut Pixels<'_>,
    convert: &RowConverter,
    raw: &mut [u8],
    out: &mut [u8],
) -> Result<(), ImageError> {
    let stride = reader.info().width as usize * Rgb8::CHANNELS;
    for row in out.chunks_exact_mut(stride) {
        if convert.is_rgb8() {
            reader.read_row(row).map_err(|error| malformed(error.to_string()))?;
        } else {
            reader.read_row(raw).map_err(|error| malformed(error.to_string()))?;
            convert.row(raw, row);
        }
    }
    Ok(())
}

/// Adam7: each of 7 passes has every nth pixel of every nth row.
fn interlaced(
    reader: &mut Pixels<'_>,
    convert: &RowConverter,
    raw: &mut [u8],
    out: &mut [u8],
) -> Result<(), ImageError> {
    /// First row, row step, first column, column step of each pass (PNG specification, 8.2).
    const PASSES: [[u32; 4]; 7] =
        [[0, 8, 0, 8], [0, 8, 4, 8], [4, 8, 0, 4], [0, 4, 2, 4], [2, 4, 0, 2], [0, 2, 1, 2], [1, 2, 0, 1]];
    let Size { width, height } = Size { width: reader.info().width, height: reader.info().height };
    let stride = width as usize * Rgb8::CHANNELS;
    let mut line = vec![0; stride];
    for (pass, [top, down, left, across]) in (1..).zip(PASSES) {
        let rows = height.saturating_sub(top).div_ceil(down);
        let columns = width.saturating_sub(left).div_ceil(across);
        if columns == 0 {
            continue;
        }
        for row in 0..rows {
            reader.read_row(raw).map_err(|error| malformed(error.to_string()))?;
            let line = &mut line[..columns as usize * Rgb8::CHANNELS];
            convert.row(raw, line);
            png::expand_interlaced_row(out, stride, line, &Adam7Info::new(pass, row, width), 24);
        }
    }
    Ok(())
}

type Pixels<'a> = Reader<Cursor<&'a [u8]>>;

/// Turns a raw row into RGB.
struct RowConverter {
    color: ColorType,
    depth: BitDepth,
    /// What each sample of 1 to 8 bits becomes, for grey and palette.
    table: Box<[[u8; 3]; 256]>,
}

// === impl RowConverter ===

impl RowConverter {
    fn new(info: &png::Info<'_>) -> Result<Self, ImageError> {
        let mut table = Box::new([[0; 3]; 256]);
        match info.color_type {
            ColorType::Indexed => {
                let palette = info.palette.as_ref().ok_or_else(|| malformed("its palette is missing"))?;
                for (entry, &color) in table.iter_mut().zip(palette.as_chunks::<3>().0) {
                    *entry = color;
                }
            }
            _ => {
                // 1, 3, 15 or 255 is white.
                let white = (1_u32 << (info.bit_depth as u32).min(8)) - 1;
                for (value, entry) in table.iter_mut().enumerate() {
                    *entry = [((value as u32).min(white) * 255 / white) as u8; 3];
                }
            }
        }
        Ok(Self { color: info.color_type, depth: info.bit_depth, table })
    }

    /// Rows are stored as they are wanted.
    fn is_rgb8(&self) -> bool {
        self.color == ColorType::Rgb && self.depth == BitDepth::Eight
    }

    /// Converts as many pixels as `out` has room for.
    fn row(&self, raw: &[u8], out: &mut [u8]) {
        let (out, _) = out.as_chunks_mut::<{ Rgb8::CHANNELS }>();
        match (self.color, self.depth) {
            (ColorType::Grayscale | ColorType::Indexed, BitDepth::Eight) => {
                zip(raw.as_chunks::<1>().0, out, |&[v]| self.table[usize::from(v)]);
            }
            (ColorType::Grayscale, BitDepth::Sixteen) => {
                zip(raw.as_chunks::<2>().0, out, |&[high, low]| [if high == 0 { low } else { 255 }; 3]);
            }
            (ColorType::Grayscale | ColorType::Indexed, depth) => self.packed(raw, depth as u32, out),
            (ColorType::GrayscaleAlpha, BitDepth::Sixteen) => zip(raw.as_chunks::<4>().0, out, |p| [p[0]; 3]),
            (ColorType::GrayscaleAlpha, _) => zip(raw.as_chunks::<2>().0, out, |p| [p[0]; 3]),
            (ColorType::Rgb, BitDepth::Sixteen) => zip(raw.as_chunks::<6>().0, out, |p| [p[0], p[2], p[4]]),
            (ColorType::Rgb, _) => zip(raw.as_chunks::<3>().0, out, |p| *p),
            (ColorType::Rgba, BitDepth::Sixteen) => zip(raw.as_chunks::<8>().0, out, |p| [p[0], p[2], p[4]]),
            (ColorType::Rgba, _) => zip(raw.as_chunks::<4>().0, out, |p| [p[0], p[1], p[2]]),
        }
    }

    /// Several samples in a byte, the first in its high bits.
    fn packed(&self, raw: &[u8], bits: u32, out: &mut [[u8; 3]]) {
        let per_byte = (8 / bits) as usize;
        let mask = (1_u8 << bits) - 1;
        for (byte, pixels) in raw.iter().zip(out.chunks_mut(per_byte)) {
            for (place, pixel) in (1..).zip(pixels) {
                *pixel = self.table[usize::from(byte >> (8 - bits * place) & mask)];
            }
        }
    }
}

fn zip<T>(raw: &[T], out: &mut [[u8; 3]], convert: impl Fn(&T) -> [u8; 3]) {
    for (from, to) in raw.iter().zip(out) {
        *to = convert(from);
    }
}

fn malformed(reason: impl Into<String>) -> ImageError {
    ImageError::malformed(Format::Png, reason)
}
