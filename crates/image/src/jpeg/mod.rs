//! JPEG: its header by our own marker walker, its pixels by our own decoder or, where that has none, by libjpeg-turbo.
//!
//! Like Pillow: libjpeg's warnings (corrupt data inside a scan) are tolerated, its errors and a file that ends before its
//! pixels do are not. CMYK is taken as Adobe writes it, inverted.
//!
//! And the restart-indexed JPEG: [`rewrite`] makes it, [`slice`] cuts it.

mod grid;
mod markers;

mod cmyk;
mod decode;
mod handle;
mod turbo;

mod picture;
mod transform;

mod index;
mod interval;
mod rewrite;
mod slice;
mod strips;

#[cfg(test)]
mod tests;

use headwater_types::{ByteCount, Format, ImageLimits, PixelBox, Scale};

pub(crate) use decode::Buffers;
#[cfg(test)]
pub(crate) use decode::ZIGZAG;
pub(crate) use index::Index;
pub(crate) use markers::Frame;
pub(crate) use rewrite::{most_rewritten, rewrite, rewrite_memory};
pub(crate) use slice::{Rows, rows, slice};
use transform::Input;
use turbo::{Decompressor, Layout};

use crate::error::ImageError;
use crate::limits;
use crate::rgb::rgb_len;
use crate::scratch::{DecoderBuffers, room};

/// Row buffers, tables and contexts of libjpeg, over and above pixels and coefficients, per pixel of width: at most
/// 4 components x 4 row groups of 16 rows, upsampled.
const ROWS_PER_COLUMN: u64 = 256;
/// Of our own decoder: the coefficients of at most four rows of MCUs, and the samples of one.
const OWN_PER_COLUMN: u64 = 512;

pub(crate) const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
/// What libjpeg says last where a scan's data end before its pixels do.
const RAN_DRY: &str = "Corrupt JPEG data: premature end of data segment";

/// Reads the header and checks what follows from it alone.
pub(crate) fn read_frame(bytes: &[u8], limits: &ImageLimits) -> Result<Frame, ImageError> {
    let frame = Frame::read(bytes)?;
    limits::check_size(frame.size, limits)?;
    limits::check_scans(frame.size, frame.scans, frame.passes(), limits)?;
    Ok(frame)
}

/// Memory that decoding takes beside the encoded bytes and the RGB pixels.
pub(crate) fn working_memory(frame: &Frame, bytes: &[u8]) -> u64 {
    let ended = if frame.complete { 0 } else { bytes.len() as u64 };
    let cmyk = if frame.is_cmyk() { frame.size.pixels() * 4 } else { 0 };
    cmyk + ended + frame.coefficient_bytes() + u64::from(frame.size.width) * ROWS_PER_COLUMN
}

/// Memory that our own decoder takes over and above that, for a photo of so many bytes: it may be held still when libjpeg
/// decodes after all. 0 where it has no part in it.
pub(crate) fn own_memory(frame: &Frame, bytes: u64) -> u64 {
    // The data of the scan, without its stuffing.
    if frame.is_plain() { bytes + u64::from(frame.size.width) * OWN_PER_COLUMN } else { 0 }
}

/// Decodes the pixels of `wanted`, in the photo at a scale, and as many around them as it takes to get them right, into the front of `out`. Gives
/// the box that was decoded.
pub(crate) fn decode(
    bytes: &[u8],
    frame: &Frame,
    scale: Scale,
    wanted: PixelBox,
    memory: ByteCount,
    buffers: &mut DecoderBuffers,
    out: &mut Vec<u8>,
) -> Result<PixelBox, ImageError> {
    match decode::decode(bytes, frame, scale, wanted, &mut buffers.jpeg, out) {
        Some(window) => Ok(window),
        None => decode_by_turbo(bytes, frame, scale, wanted, memory, &mut buffers.raw, out),
    }
}

/// Reads all coefficients and drops them: the part of decoding that cannot be left out.
pub(crate) fn entropy(bytes: &[u8], frame: &Frame, memory: ByteCount, buffers: &mut Buffers) -> Result<(), ImageError> {
    if decode::entropy(bytes, frame, buffers).is_some() {
        return Ok(());
    }
    let input = Input { jpeg: bytes, scans: frame.scans, memory };
    input.read().map_err(|_| ImageError::malformed(Format::Jpeg, "libjpeg has something to say against it"))
}

/// As [`decode()`], by libjpeg-turbo.
fn decode_by_turbo(
    bytes: &[u8],
    frame: &Frame,
    scale: Scale,
    wanted: PixelBox,
    memory: ByteCount,
    raw: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<PixelBox, ImageError> {
    if !frame.complete {
        return decode_unended(bytes, frame, scale, memory, raw, out);
    }
    let mut decompressor = Decompressor::open(bytes, frame.size, frame.scans, memory)?;
    decompressor.scale(scale, frame.size)?;
    decompressor.crop(frame.window(scale, wanted));
    let window = decompressor.window();
    decode_window(decompressor, frame, raw, out)?;
    Ok(window)
}

/// Decodes a file without an end-of-image marker: a picture where only the marker is broken or missing, which the end of
/// the pixels tells. Where they come in several scans it cannot be told, and Pillow refuses too.
fn decode_unended(
    bytes: &[u8],
    frame: &Frame,
    scale: Scale,
    memory: ByteCount,
    raw: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<PixelBox, ImageError> {
    let truncated = || ImageError::malformed(Format::Jpeg, "truncated: it ends before its pixels do");
    if frame.coefficient_bytes() > 0 {
        return Err(truncated());
    }
    let ended = [&bytes[..frame.first_scan_end], &END_OF_IMAGE].concat();
    let mut decompressor = Decompressor::open(&ended, frame.size, frame.scans, memory)?;
    decompressor.scale(scale, frame.size)?;
    let whole = decompressor.window();
    match decode_window(decompressor, frame, raw, out)? {
        Some(warning) if warning == RAN_DRY => Err(truncated()),
        _ => Ok(whole),
    }
}

/// Decodes a decompressor's window, and gives libjpeg's last warning.
fn decode_window(
    decompressor: Decompressor<'_>,
    frame: &Frame,
    raw: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<Option<String>, ImageError> {
    let window = decompressor.window().size();
    let out = room(out, rgb_len(window));
    if !frame.is_cmyk() {
        return decompressor.decode(Layout::Rgb, out);
    }
    let raw = room(raw, window.pixels() as usize * 4);
    let warning = decompressor.decode(Layout::Cmyk, raw)?;
    cmyk::to_rgb(raw, out);
    Ok(warning)
}
