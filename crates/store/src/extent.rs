//! Where the bytes of a sample lie: a range of an object, or a row of one.
//!
//! An object is what a place stores under a name: a file below a folder, or what a bucket has under a key. A photo that
//! is a file of its own is the range from 0 to the file's length; a photo in an archive is a smaller range of the
//! archive; a photo in a table is a row of it. Every read goes by an extent, so that all are read, checked and limited
//! by the same code.

use std::ops::Range;

use headwater_types::{ByteCount, FailureKind, SampleFailure, SampleKey};

use crate::part::Part;
use crate::version::Version;

/// A part of an object, and the version that the whole object had when it was listed.
///
/// A read compares the object as it is now with that version, whichever part of it is wanted: an archive that was
/// replaced gives none of its members any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    object: SampleKey,
    listed: Version,
    part: Part,
}

// === impl Extent ===

impl Extent {
    /// The whole of an object.
    pub fn whole(object: SampleKey, listed: Version) -> Self {
        Self { object, listed, part: Part::Bytes { offset: 0, length: listed.size().get() } }
    }

    /// A range of an object, in bytes; `None` for a range that is empty or ends behind the object.
    pub fn part(object: SampleKey, listed: Version, range: Range<u64>) -> Option<Self> {
        let is_within = range.start < range.end && range.end <= listed.size().get();
        let part = Part::Bytes { offset: range.start, length: range.end - range.start.min(range.end) };
        is_within.then_some(Self { object, listed, part })
    }

    /// A row of an object, which has about so many bytes.
    pub fn row(object: SampleKey, listed: Version, number: u64, about: ByteCount) -> Self {
        Self { object, listed, part: Part::Row { number, about: about.get() } }
    }

    /// A part of an object that was checked before, as a catalog holds it.
    pub(crate) fn of(object: SampleKey, listed: Version, part: Part) -> Self {
        Self { object, listed, part }
    }

    /// The object's name: its path below the dataset's root.
    pub fn object(&self) -> &SampleKey {
        &self.object
    }

    /// The version of the whole object when it was listed.
    pub fn listed(&self) -> Version {
        self.listed
    }

    /// The part of the object that is the sample.
    pub fn place(&self) -> Part {
        self.part
    }

    /// The bytes of the object that are the sample; `None` for a row, whose place in the object only its store knows.
    pub fn range(&self) -> Option<Range<u64>> {
        match self.part {
            Part::Bytes { offset, length } => Some(offset..offset + length),
            Part::Row { .. } => None,
        }
    }

    /// The sample's encoded size: exact for bytes, and about right for a row. [`crate::Store::length`] has it exactly.
    pub fn length(&self) -> ByteCount {
        self.part.length()
    }

    /// Whether the extent is the whole object.
    pub fn is_whole(&self) -> bool {
        self.part == Part::Bytes { offset: 0, length: self.listed.size().get() }
    }

    /// Which content the extent has: the object's version for a whole object, and one of its own for a part.
    pub fn version(&self) -> Version {
        if self.is_whole() { self.listed } else { Version::of_part(self.listed, self.part) }
    }

    /// Refuses a sample that is larger than one may be, before a byte of it is read.
    pub(crate) fn check_length(&self, max_object: ByteCount) -> Result<(), SampleFailure> {
        if self.length() <= max_object {
            return Ok(());
        }
        let message = format!("it has {} and may have {max_object}: see --max-object-bytes", self.length());
        Err(SampleFailure::new(FailureKind::LimitExceeded, message))
    }

    /// The bytes to read, for stores that know ranges only.
    pub(crate) fn bytes(&self) -> Result<Range<u64>, SampleFailure> {
        let message = || format!("a row of {} was asked of a store that has no tables", self.object);
        self.range().ok_or_else(|| SampleFailure::new(FailureKind::Internal, message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_lies_within_its_object_and_the_whole_range_is_the_object() {
        let object: SampleKey = "shard-0".parse().unwrap();
        let listed = Version::of_file(100, 1, 0);
        let part = |range| Extent::part(object.clone(), listed, range);
        assert_eq!(part(0..100), Some(Extent::whole(object.clone(), listed)));
        assert_eq!(part(0..100).unwrap().version(), listed);
        let (range, length) = (90..100, ByteCount::new(10));
        let tail = part(range.clone()).unwrap();
        assert_eq!((tail.range(), tail.length(), tail.is_whole()), (Some(range), length, false));
        for outside in [Range { start: 5, end: 5 }, Range { start: 6, end: 5 }, 90..101, 100..101] {
            assert_eq!(part(outside.clone()), None, "{outside:?}");
        }
    }

    #[test]
    fn a_row_is_no_range_of_bytes_whatever_its_number() {
        let listed = Version::of_file(100, 1, 0);
        let row = |number, about| Extent::row("table".parse().unwrap(), listed, number, ByteCount::new(about));
        assert_eq!((row(0, 100).range(), row(0, 100).is_whole()), (None, false));
        assert_eq!(row(7, 20).length(), ByteCount::new(20));
        assert_eq!(row(7, 20).bytes().unwrap_err().kind, FailureKind::Internal);
        let range = Extent::part("table".parse().unwrap(), listed, 7..27).unwrap();
        assert_ne!(row(7, 20).version(), range.version());
    }
}
