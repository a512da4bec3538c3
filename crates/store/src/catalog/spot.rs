//! Where one sample lies, borrowed: what a listing compares, and what a catalog holds packed.

use headwater_types::ByteCount;

use crate::extent::Extent;
use crate::part::Part;
use crate::version::Version;

/// A part of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot<'a> {
    /// The object's name.
    pub(super) object: &'a str,
    /// The version of the whole object.
    pub(super) listed: Version,
    pub(super) part: Part,
}

// === impl Spot ===

impl<'a> Spot<'a> {
    /// The whole of an object.
    pub(super) fn whole(object: &'a str, listed: Version) -> Self {
        Self { object, listed, part: Part::Bytes { offset: 0, length: listed.size().get() } }
    }

    /// What an extent says.
    pub(super) fn of(extent: &'a Extent) -> Self {
        Self { object: extent.object().as_str(), listed: extent.listed(), part: extent.place() }
    }

    /// The extent that says the same; `None` where no object can have this name.
    pub(super) fn extent(self) -> Option<Extent> {
        Some(Extent::of(self.object.parse().ok()?, self.listed, self.part))
    }

    /// The sample's encoded size, as far as it is known.
    pub(super) fn size(self) -> ByteCount {
        self.part.length()
    }

    /// Whether the sample is an object of its own, under its own key.
    pub(super) fn is_own(self, key: &str) -> bool {
        self.object == key && self.is_whole()
    }

    /// Which content the sample has.
    pub(super) fn version(self) -> Version {
        if self.is_whole() { self.listed } else { Version::of_part(self.listed, self.part) }
    }

    fn is_whole(self) -> bool {
        self.part == Part::Bytes { offset: 0, length: self.listed.size().get() }
    }
}
