//! Where the bytes of a sample lie: a range of an object.
//!
//! An object is what a place stores under a name: a file below a folder, or what a bucket has under a key. A photo that
//! is a file of its own is the range from 0 to the file's length; a photo in an archive is a smaller range of the
//! archive. Every read goes by an extent, so that both are read, checked and limited by the same code.

use std::ops::Range;

use headwater_types::{ByteCount, FailureKind, SampleFailure, SampleKey};

use crate::version::Version;

/// A range of an object, and the version that the whole object had when it was listed.
///
/// A read compares the object as it is now with that version, whichever range of it is wanted: an archive that was
/// replaced gives none of its members any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    object: SampleKey,
    listed: Version,
    offset: u64,
    length: u64,
}

// === impl Extent ===

impl Extent {
    /// The whole of an object.
    pub fn whole(object: SampleKey, listed: Version) -> Self {
        Self { object, listed, offset: 0, length: listed.size().get() }
    }

    /// A range of an object, in bytes; `None` for a range that is empty or ends behind the object.
    pub fn part(object: SampleKey, listed: Version, range: Range<u64>) -> Option<Self> {
        let is_within = range.start < range.end && range.end <= listed.size().get();
        is_within.then(|| Self { object, listed, offset: range.start, length: range.end - range.start })
    }

    /// The object's name: its path below the dataset's root.
    pub fn object(&self) -> &SampleKey {
        &self.object
    }

    /// The version of the whole object when it was listed.
    pub fn listed(&self) -> Version {
        self.listed
    }

    /// The bytes of the object that are the sample.
    pub fn range(&self) -> Range<u64> {
        self.offset..self.offset + self.length
    }

    /// The number of those bytes: the sample's encoded size.
    pub fn length(&self) -> ByteCount {
        ByteCount::new(self.length)
    }

    /// Whether the extent is the whole object.
    pub fn is_whole(&self) -> bool {
        self.offset == 0 && self.length == self.listed.size().get()
    }

    /// Which content the extent has: the object's version for a whole object, and one of its own for a part.
    pub fn version(&self) -> Version {
        if self.is_whole() { self.listed } else { Version::of_part(self.listed, self.range()) }
    }

    /// Refuses a sample that is larger than one may be, before a byte of it is read.
    pub(crate) fn check_length(&self, max_object: ByteCount) -> Result<(), SampleFailure> {
        if self.length() <= max_object {
            return Ok(());
        }
        let message = format!("it has {} and may have {max_object}: see --max-object-bytes", self.length());
        Err(SampleFailure::new(FailureKind::LimitExceeded, message))
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
        assert_eq!((tail.range(), tail.length(), tail.is_whole()), (range, length, false));
        for outside in [Range { start: 5, end: 5 }, Range { start: 6, end: 5 }, 90..101, 100..101] {
            assert_eq!(part(outside.clone()), None, "{outside:?}");
        }
    }
}
