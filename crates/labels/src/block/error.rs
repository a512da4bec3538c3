//! Why bytes are no block.

/// Bytes that are not a block of labels. Whatever the reason, the block is dropped whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// Something else, another block, or not what was written.
    #[error("it is not the block that was written there")]
    Checksum,
    /// No rows, or more than a block has.
    #[error("it says that it has {0} rows")]
    Rows(u32),
    /// More bytes than its rows can have, or others than it says.
    #[error("its columns have another length than they should")]
    Length,
    /// The columns cannot be unpacked.
    #[error("its columns are packed wrongly")]
    Packing,
    /// A key that is empty, too long, no text, or begins as none before it does.
    #[error("it has a key that is none")]
    Key,
    /// An outcome that there is not, or with more or fewer labels than it can have.
    #[error("it has an outcome that is none")]
    Outcome,
    /// A class beyond those that there may be, or a score that is not finite.
    #[error("it has a label that is none")]
    Label,
}
