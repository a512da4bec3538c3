//! Where a row is: which block of its run, and which row of the block.

/// A row's place in its run. A place never comes to mean another row: blocks are only appended to, and their numbers
/// are not given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    block: u32,
    row: u8,
}

// === impl Place ===

impl Place {
    /// The row of this number in the block of this number.
    pub(crate) const fn new(block: u32, row: u8) -> Self {
        Self { block, row }
    }

    /// The block's number.
    pub(crate) const fn block(self) -> u32 {
        self.block
    }

    /// The row's number in its block.
    pub(crate) const fn row(self) -> u8 {
        self.row
    }
}
