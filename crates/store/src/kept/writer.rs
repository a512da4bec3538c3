//! Writes numbers, texts and columns.

use std::io::{self, Write};

/// Where the bytes go.
pub(crate) struct Writer<'a>(pub(crate) &'a mut dyn Write);

/// Bytes of a column that are written at once.
const CHUNK: usize = 1 << 16;

// === impl Writer ===

impl Writer<'_> {
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    pub(crate) fn u64(&mut self, number: u64) -> io::Result<()> {
        self.bytes(&number.to_le_bytes())
    }

    pub(crate) fn flag(&mut self, flag: bool) -> io::Result<()> {
        self.bytes(&[u8::from(flag)])
    }

    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.u64(text.len() as u64)?;
        self.bytes(text.as_bytes())
    }

    /// Values of `N` bytes each.
    pub(crate) fn column<const N: usize>(&mut self, values: impl Iterator<Item = [u8; N]>) -> io::Result<()> {
        let mut chunk = Vec::with_capacity(CHUNK + N);
        for value in values {
            chunk.extend_from_slice(&value);
            if chunk.len() >= CHUNK {
                self.bytes(&chunk)?;
                chunk.clear();
            }
        }
        self.bytes(&chunk)
    }
}
