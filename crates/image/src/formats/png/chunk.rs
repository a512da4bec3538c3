//! A chunk of a PNG.
//!
//! ```text
//! length u32 | kind, 4 bytes | data | crc32 of kind and data           big endian
//! ```

use headwater_types::Format;

use crate::error::ImageError;

/// A chunk, and where the next one begins.
pub(super) struct Chunk<'a> {
    pub(super) kind: &'a [u8; 4],
    pub(super) data: &'a [u8],
    crc: u32,
    pub(super) end: usize,
}

// === impl Chunk ===

impl<'a> Chunk<'a> {
    /// The chunk at `at`; `None` where the file ends before it does.
    pub(super) fn read(bytes: &'a [u8], at: usize) -> Option<Self> {
        let (length, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
        let (kind, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (data, rest) = rest.split_at_checked(length)?;
        let (crc, _) = rest.split_first_chunk::<4>()?;
        Some(Self { kind, data, crc: u32::from_be_bytes(*crc), end: at.checked_add(length)?.checked_add(12)? })
    }

    /// Checks the CRC, as Pillow does for the chunks before the pixels.
    pub(super) fn check(&self) -> Result<(), ImageError> {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(self.kind);
        hasher.update(self.data);
        if hasher.finalize() == self.crc {
            Ok(())
        } else {
            Err(ImageError::malformed(Format::Png, "a chunk before its pixels fails its CRC"))
        }
    }
}
