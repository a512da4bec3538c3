//! The kinds of entries: what is made of a sample and kept.

use std::fmt;

use headwater_types::Digest;

/// A kind of entry: what was made of a sample's bytes, and by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The sample's bytes as the source has them.
    Encoded,
    /// The photo re-written to be cropped without decoding.
    Indexed,
    /// The pixels behind a crop and a resize that are the same in every epoch.
    Resized {
        /// The digest of the recipe that made them.
        recipe: Digest,
    },
    /// The features of the sample.
    Features {
        /// The digest of the model that made them.
        model: Digest,
    },
}

/// A kind without what made it: what counts and settings are told by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KindName {
    /// See [`Kind::Encoded`].
    Encoded,
    /// See [`Kind::Indexed`].
    Indexed,
    /// See [`Kind::Resized`].
    Resized,
    /// See [`Kind::Features`].
    Features,
}

// === impl Kind ===

impl Kind {
    /// The kind's name in keys, with the version of what makes it: raise that when the same sample gives other bytes,
    /// and no old entry is taken for a new one any more.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Encoded => "encoded/1",
            Self::Indexed => "indexed/1",
            Self::Resized { .. } => "resized/1",
            Self::Features { .. } => "features/1",
        }
    }

    /// The kind without what made it.
    pub const fn name(self) -> KindName {
        match self {
            Self::Encoded => KindName::Encoded,
            Self::Indexed => KindName::Indexed,
            Self::Resized { .. } => KindName::Resized,
            Self::Features { .. } => KindName::Features,
        }
    }

    /// What made the entry, where there are several that could.
    pub const fn maker(&self) -> Option<&Digest> {
        match self {
            Self::Encoded | Self::Indexed => None,
            Self::Resized { recipe: maker } | Self::Features { model: maker } => Some(maker),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

// === impl KindName ===

impl KindName {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Encoded, Self::Indexed, Self::Resized, Self::Features];

    /// The kind's name in settings, metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Encoded => "encoded",
            Self::Indexed => "indexed",
            Self::Resized => "resized",
            Self::Features => "features",
        }
    }

    /// The kind's number in frames.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Indexed => 1,
            Self::Encoded => 2,
            Self::Resized => 3,
            Self::Features => 4,
        }
    }

    /// The kind's letter in names of files.
    pub(crate) const fn letter(self) -> u8 {
        self.as_str().as_bytes()[0]
    }

    /// The kind of this letter.
    pub(crate) fn of_letter(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.letter() == letter)
    }

    /// The place of the kind in [`Self::ALL`].
    pub(crate) const fn place(self) -> usize {
        self as usize
    }
}

impl fmt::Display for KindName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_a_letter_a_number_and_a_place_of_its_own() {
        for (place, kind) in KindName::ALL.into_iter().enumerate() {
            assert_eq!((kind.place(), KindName::of_letter(kind.letter())), (place, Some(kind)));
            let others = KindName::ALL.into_iter().filter(|other| *other != kind);
            assert!(others.into_iter().all(|other| other.code() != kind.code() && other.as_str() != kind.as_str()));
        }
        assert_eq!(KindName::of_letter(b'x'), None);
    }
}
