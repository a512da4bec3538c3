//! JPEG: its header by our own marker walker, its pixels by libjpeg-turbo.
//!
//! Like Pillow: libjpeg's warnings (corrupt data inside a scan) are tolerated, its errors and a missing end-of-image
//! marker are not. CMYK is taken as Adobe writes it, inverted.

mod cmyk;
mod markers;
mod turbo;

use headwater_types::{ByteCount, ImageLimits, Size};

pub(crate) use markers::Frame;
use turbo::{Decompressor, Layout};

use crate::error::ImageError;
use crate::format::Format;
use crate::limits;
use crate::rgb::rgb_len;

/// Row buffers, tables and contexts of the decoder, over and above pixels and coefficients, per pixel of width: at most
/// 4 components x 4 row groups of 16 rows, upsampled.
const ROWS_PER_COLUMN: u64 = 256;

/// Reads the header and checks what follows from it alone.
pub(crate) fn read_frame(bytes: &[u8], limits: &ImageLimits) -> Result<Frame, ImageError> {
    let frame = Frame::read(bytes)?;
    limits::check_size(frame.size, limits)?;
    limits::check_scans(frame.size, frame.scans, frame.passes(), limits)?;
    Ok(frame)
}

/// Memory that decoding takes beside the encoded bytes and the RGB pixels.
pub(crate) fn working_memory(frame: &Frame) -> u64 {
    let cmyk = if frame.is_cmyk() { frame.size.pixels() * 4 } else { 0 };
    cmyk + frame.coefficient_bytes() + u64::from(frame.size.width) * ROWS_PER_COLUMN
}

/// Decodes at least the first `rows` rows into the front of `out`, which has room for all.
pub(crate) fn decode(
    bytes: &[u8],
    frame: &Frame,
    rows: u32,
    memory: ByteCount,
    raw: &mut Vec<u8>,
    out: &mut [u8],
) -> Result<(), ImageError> {
    debug_assert_eq!(out.len(), rgb_len(frame.size));
    if !frame.complete {
        return Err(ImageError::malformed(Format::Jpeg, "truncated: it has no end-of-image marker"));
    }
    // Only where nothing that a whole decode could object to stands behind the rows: a sample must fail at every cut or
    // at none.
    let rows = if frame.may_stop_early() { rows.min(frame.size.height) } else { frame.size.height };
    let mut decompressor = Decompressor::new(frame.scans, memory)?;
    if !frame.is_cmyk() {
        return decompressor.decode(bytes, frame.size, rows, Layout::Rgb, out);
    }
    raw.resize(frame.size.pixels() as usize * 4, 0);
    decompressor.decode(bytes, frame.size, rows, Layout::Cmyk, raw)?;
    let used = frame.size.width as usize * rows as usize;
    cmyk::to_rgb(&raw[..used * 4], &mut out[..used * 3]);
    Ok(())
}

/// Size of `rows` rows.
fn first_rows(size: Size, rows: u32) -> Size {
    Size { height: rows, ..size }
}
