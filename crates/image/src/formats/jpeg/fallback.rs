//! What our own decoder does not take, decoded by libjpeg-turbo.

use headwater_types::{ByteCount, Format, PixelBox};

use super::frame::Frame;
use super::markers::END_OF_IMAGE;
use super::turbo::{Decompressor, Layout};
use crate::error::ImageError;
use crate::excerpt::Excerpt;
use crate::formats::cmyk;
use crate::rgb::rgb_len;
use crate::room::room;

/// What libjpeg says last where a scan's data end before its pixels do.
const RAN_DRY: &str = "Corrupt JPEG data: premature end of data segment";

/// Decodes the area of `excerpt`, and the pixels around it that libjpeg needs, into the front of `out`.
pub(super) fn decode(
    frame: &Frame,
    excerpt: &Excerpt<'_>,
    raw: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<PixelBox, ImageError> {
    if !frame.complete {
        return decode_unended(frame, excerpt, raw, out);
    }
    let Excerpt { bytes, scale, area, memory } = *excerpt;
    let mut decompressor = Decompressor::open(bytes, frame.size, frame.scans, memory)?;
    decompressor.scale(scale, frame.size)?;
    decompressor.crop(frame.window(scale, area));
    let window = decompressor.window();
    decode_window(decompressor, frame, raw, out)?;
    Ok(window)
}

/// Decodes a file without an end-of-image marker: a picture where only the marker is broken or missing, which the end
/// of the pixels tells. Where they come in several scans it cannot be told, and Pillow refuses too.
fn decode_unended(
    frame: &Frame,
    excerpt: &Excerpt<'_>,
    raw: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<PixelBox, ImageError> {
    let truncated = || ImageError::malformed(Format::Jpeg, "truncated: it ends before its pixels do");
    if frame.coefficient_bytes() > 0 {
        return Err(truncated());
    }
    let ended = [&excerpt.bytes[..frame.first_scan_end], &END_OF_IMAGE].concat();
    let mut decompressor = Decompressor::open(&ended, frame.size, frame.scans, excerpt.memory)?;
    decompressor.scale(excerpt.scale, frame.size)?;
    let whole = decompressor.window();
    match decode_window(decompressor, frame, raw, out)? {
        Some(warning) if warning == RAN_DRY => Err(truncated()),
        _ => Ok(whole),
    }
}

/// Decodes a photo of cyan, magenta, yellow and black as it is stored, 4 bytes a pixel.
pub(crate) fn decode_cmyk(frame: &Frame, bytes: &[u8], memory: ByteCount) -> Result<Vec<u8>, ImageError> {
    let decompressor = Decompressor::open(bytes, frame.size, frame.scans, memory)?;
    let mut stored = vec![0; frame.size.pixels() as usize * 4];
    decompressor.decode(Layout::Cmyk, &mut stored)?;
    Ok(stored)
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
