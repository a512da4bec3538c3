//! A chunk of a RIFF file.
//!
//! ```text
//! kind, 4 bytes | length u32, little endian | data | a byte, where the length is odd
//! ```

/// Bytes before a chunk's data.
pub(super) const CHUNK_HEADER: usize = 8;
/// Bytes before the first chunk: `RIFF`, a length, and `WEBP`.
pub(super) const RIFF_HEADER: usize = 12;

/// A chunk. Its data may have been cut short by the end of the file.
pub(super) struct Chunk<'a> {
    pub(super) kind: &'a [u8; 4],
    pub(super) data: &'a [u8],
    pub(super) end: usize,
}

/// The chunk at `at`; `None` where the file ends before its header does.
pub(super) fn chunk(bytes: &[u8], at: usize) -> Option<Chunk<'_>> {
    let (kind, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let data = &rest[..length.min(rest.len())];
    // Chunks are padded to an even length.
    let end = at.checked_add(CHUNK_HEADER)?.checked_add(length)?.checked_add(length % 2)?;
    Some(Chunk { kind, data, end })
}

// === impl Chunk ===

impl Chunk<'_> {
    /// A file of this chunk alone.
    pub(super) fn alone(&self) -> Vec<u8> {
        // A chunk that the end of the file has cut short stays too short for its picture, and fails there.
        let length = self.data.len() as u32;
        let mut file = Vec::with_capacity(RIFF_HEADER + CHUNK_HEADER + self.data.len() + 1);
        file.extend_from_slice(b"RIFF");
        file.extend_from_slice(&(4 + CHUNK_HEADER as u32 + length + length % 2).to_le_bytes());
        file.extend_from_slice(b"WEBP");
        file.extend_from_slice(self.kind);
        file.extend_from_slice(&length.to_le_bytes());
        file.extend_from_slice(self.data);
        file.resize(file.len() + self.data.len() % 2, 0);
        file
    }
}
