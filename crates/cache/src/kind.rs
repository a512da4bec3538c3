//! The kinds of entries: what is made of a photo and kept.

use std::fmt;

/// A kind of entry: what was made of a sample's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The photo re-written to be cropped without decoding.
    Indexed,
}

// === impl Kind ===

impl Kind {
    /// The kind's name in keys, with the version of what makes it: raise that when the same photo gives other bytes,
    /// and no old entry is found any more.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Indexed => "indexed/1",
        }
    }

    /// The kind's number in frames.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Indexed => 1,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
