//! How much memory it takes to decode and to re-write a JPEG: what permits are taken for.

use headwater_types::{ByteCount, Size};

use super::frame::Frame;

/// Row buffers, tables and contexts of libjpeg, over and above pixels and coefficients, per pixel of width: at most
/// 4 components x 4 row groups of 16 rows, upsampled.
const ROWS_PER_COLUMN: u64 = 256;
/// Buffers of our own decoder, per pixel of width: the coefficients of at most four rows of MCUs, and the samples of
/// one.
const OWN_PER_COLUMN: u64 = 512;

/// Bytes that decoding takes beside the encoded bytes and the RGB pixels.
pub(crate) fn working_memory(frame: &Frame, bytes: &[u8]) -> u64 {
    let ended = if frame.complete { 0 } else { bytes.len() as u64 };
    let cmyk = if frame.is_cmyk() { frame.size.pixels() * 4 } else { 0 };
    cmyk + ended + frame.coefficient_bytes() + rows(frame.size)
}

/// Bytes that our own decoder takes over and above [`working_memory`], for a photo of so many bytes: it may hold them
/// still when libjpeg decodes after all. 0 where our own decoder has no part in it.
pub(crate) fn own_memory(frame: &Frame, bytes: u64) -> u64 {
    if frame.is_plain() { own(frame.size, bytes) } else { 0 }
}

/// Bytes that it takes to decode an indexed photo of this size, whose RGB pixels are turned or not, beside `bytes` of
/// its own: by libjpeg, and what our own decoder takes over and above that.
pub(super) fn indexed(size: Size, turned: bool, bytes: u64) -> (ByteCount, ByteCount) {
    let rgb = size.pixels() * 3;
    let turn = if turned { rgb } else { 0 };
    (ByteCount::new(bytes + rgb + turn + rows(size)), ByteCount::new(own(size, bytes)))
}

/// Memory that re-writing takes, `bytes` included: all coefficients, and the result.
pub(crate) fn rewrite_memory(frame: &Frame, bytes: u64) -> ByteCount {
    ByteCount::new(bytes + 2 * most_rewritten(bytes) + frame.all_coefficient_bytes() + rows(frame.size))
}

/// Most bytes of a re-written photo. An index that takes much more space than the photos would surprise those who pay
/// for the disk.
pub(crate) fn most_rewritten(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / 4).saturating_add(4096)
}

fn rows(size: Size) -> u64 {
    u64::from(size.width) * ROWS_PER_COLUMN
}

/// The data of the scan without its stuffing, and the buffers.
fn own(size: Size, bytes: u64) -> u64 {
    bytes + u64::from(size.width) * OWN_PER_COLUMN
}
