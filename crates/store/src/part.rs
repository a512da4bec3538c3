//! Which part of an object a sample is.

use headwater_types::ByteCount;

/// Which part of an object a sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A range of bytes.
    Bytes {
        /// Where the range begins, in bytes.
        offset: u64,
        /// Its length in bytes.
        length: u64,
    },
    /// A row of a table, which only the store that lists tables can read.
    Row {
        /// The row's number among all rows of the object, from 0.
        number: u64,
        /// About how many bytes the sample has: what a table's footer says of all its rows, shared out.
        about: u64,
    },
}

// === impl Part ===

impl Part {
    /// The sample's encoded size: exact for bytes, and about right for a row.
    pub const fn length(self) -> ByteCount {
        match self {
            Self::Bytes { length, .. } => ByteCount::new(length),
            Self::Row { about, .. } => ByteCount::new(about),
        }
    }
}
