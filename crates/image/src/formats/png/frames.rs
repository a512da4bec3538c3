//! Where the first frame of an animated PNG ends.

use super::chunk::Chunk;

/// What an animated PNG states before its pixels.
#[derive(Default)]
pub(super) struct Frames {
    /// The number of frames.
    count: u32,
    /// Whether the picture in the pixel chunks is one of the frames.
    includes_first: bool,
}

// === impl Frames ===

impl Frames {
    /// Takes a chunk before the pixels.
    pub(super) fn see(&mut self, chunk: &Chunk<'_>) {
        match (chunk.kind, chunk.data) {
            (b"acTL", &[a, b, c, d, ..]) => self.count = u32::from_be_bytes([a, b, c, d]),
            (b"fcTL", _) => self.includes_first = true,
            _ => {}
        }
    }

    /// Whether a chunk behind the pixels belongs to the next frame, or has no valid name: nothing is read from there
    /// on.
    pub(super) fn end_at(&self, chunk: &Chunk<'_>) -> bool {
        let is_animated = self.count > u32::from(self.includes_first);
        let is_named = chunk.kind.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        !is_named || (chunk.kind == b"fcTL" && is_animated)
    }
}
