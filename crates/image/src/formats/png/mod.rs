//! PNG to RGB8 as Pillow's `convert("RGB")` gives it.
//!
//! | stored | becomes |
//! |---|---|
//! | grey, 1, 2, 4 bits | scaled to 0..=255 |
//! | grey, 16 bits | clipped at 255, because Pillow reads it as `I;16` and converts that by clipping |
//! | grey + alpha, RGB, RGBA, 16 bits | the high byte |
//! | palette | its colours; black where an index has none |
//! | alpha, tRNS | dropped, not composited |
//!
//! Gamma and ICC profiles are ignored, and texts are read only for the orientation. Rows are converted as they come, so
//! that only one raw row is held.

mod chunk;
mod chunks;
mod frames;
mod metadata;
mod rows;

use std::io::Cursor;

use headwater_types::{Format, Size};
use png::{Adam7Info, DecodeOptions, Decoder, Reader, Transformations};

pub(super) use chunks::{Chunks, SIGNATURE};

use chunks::RAW_ROWS;
use rows::RowConverter;

use crate::error::ImageError;
use crate::excerpt::Excerpt;
use crate::rgb::Rgb8;

/// What the decoder may allocate for chunks that it keeps: a palette, EXIF and a little.
const CHUNK_BYTES: usize = 1 << 20;

/// Decodes the whole photo into `out`, which has the size in the header. `raw` is room for a raw row.
pub(super) fn decode(
    chunks: &Chunks,
    excerpt: &Excerpt<'_>,
    raw: &mut Vec<u8>,
    out: &mut [u8],
) -> Result<(), ImageError> {
    let mut options = DecodeOptions::default();
    options.set_ignore_text_chunk(true);
    options.set_ignore_iccp_chunk(true);
    // Pillow checks neither the checksums of the pixel chunks nor, once it has all rows, that of their contents.
    options.set_ignore_checksums(true);
    let mut decoder = Decoder::new_with_options(Cursor::new(excerpt.bytes), options);
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

/// Decodes a PNG that is interlaced by Adam7: each of 7 passes has every nth pixel of every nth row.
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

fn malformed(reason: impl Into<String>) -> ImageError {
    ImageError::malformed(Format::Png, reason)
}
