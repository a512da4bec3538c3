//! What the chunks of a PNG say, apart from its pixels.

use headwater_types::{Format, ImageLimits, Size};

use super::chunk::Chunk;
use super::frames::Frames;
use super::metadata::Metadata;
use crate::error::ImageError;
use crate::limits;

/// What the chunks before the pixels say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunks {
    pub(crate) size: Size,
    pub(crate) orientation: u8,
    /// Bytes of a raw row.
    pub(super) row_bytes: u64,
}

/// How content begins.
pub(crate) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Bytes that the decoder takes for its inflate window and the window's output.
const INFLATE_BYTES: u64 = 512 << 10;
/// Raw rows that the decoder holds, before and after filtering.
pub(super) const RAW_ROWS: u64 = 8;

// === impl Chunks ===

impl Chunks {
    /// Reads all chunks but the pixels'. Those are skipped, because chunks behind them may state the orientation.
    /// Allocates only to unpack a text that may state it.
    pub(crate) fn read(bytes: &[u8], limits: &ImageLimits) -> Result<Self, ImageError> {
        let first = Chunk::read(bytes, SIGNATURE.len()).ok_or_else(|| malformed("it ends in its header"))?;
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

fn malformed(reason: impl Into<String>) -> ImageError {
    ImageError::malformed(Format::Png, reason)
}
