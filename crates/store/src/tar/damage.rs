//! What is wrong with a shard, in words for people.

use super::compressed::Compressed;

/// Why a shard cannot be read to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    /// A block that should be a header is none.
    #[error("there is no header of tar where one must be")]
    NoHeader,
    /// A size in a header is no number, or one that no file has.
    #[error("a header has a size that is no number")]
    Number,
    /// The extended header of a member is not one.
    #[error("an extended header is damaged: {0}")]
    Extended(&'static str),
    /// An extended header or a long name is longer than is taken into memory.
    #[error("an extended header or a long name has {0} bytes, more than are read")]
    TooLong(u64),
    /// The file ends within a member, or before the zeros that stand at an archive's end.
    #[error("its end is missing: it was cut off, or is still being written")]
    Truncated,
    /// The file has no bytes.
    #[error("it is empty")]
    Empty,
    /// The file is compressed, and so cannot be read but from its beginning.
    #[error("{0}")]
    Compressed(Compressed),
    /// More members than a catalog can have samples.
    #[error("it has more members than a catalog can have samples")]
    TooMany,
}
