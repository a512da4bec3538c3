//! Blocks of a GIF: each a length of one byte and as many bytes; one of no length ends them.

/// Blocks that are still to be read.
pub(super) struct Blocks<'a> {
    bytes: &'a [u8],
    /// Offset of the next block.
    pub(super) at: usize,
}

// === impl Blocks ===

impl<'a> Blocks<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = &'a [u8];

    /// The next block, of which the end of the file may have cut off bytes; `None` at the end of blocks or file.
    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.bytes.get(self.at..)?.split_first()?;
        let block = &rest[..rest.len().min((*length).into())];
        self.at += 1 + block.len();
        (!block.is_empty()).then_some(block)
    }
}
