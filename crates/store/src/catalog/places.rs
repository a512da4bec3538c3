//! Where the samples of a catalog lie, in 16 bytes each.

use headwater_types::SampleKey;

use super::spot::Spot;
use crate::part::Part;
use crate::version::Version;

/// The places of samples, in step with their keys.
#[derive(Debug)]
pub(super) enum Places {
    /// Every sample is an object of its own, under its own key, and of this version.
    Whole(Vec<Version>),
    /// Samples are parts of objects; one that is an object of its own is all of it.
    Parts {
        /// Each sample's part.
        places: Vec<Place>,
        /// What the parts are of.
        objects: Vec<Object>,
    },
}

/// A part of an object: 32 bits for the object and 48 for each number, which are 256 TiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// A position among the objects.
    pub(super) object: u32,
    /// Where the part begins in bytes, or the row's number; little endian.
    pub(super) begin: [u8; 6],
    /// The number of bytes, or about that of a row; little endian.
    pub(super) length: [u8; 6],
}

/// An object of which samples are parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) name: SampleKey,
    /// The version of the whole object.
    pub(super) listed: Version,
    /// Whether its parts are rows, and not ranges of bytes.
    pub(super) has_rows: bool,
}

// === impl Places ===

impl Default for Places {
    fn default() -> Self {
        Self::Whole(Vec::new())
    }
}

impl Places {
    /// Room for parts of objects.
    pub(super) fn parts(capacity: usize) -> Self {
        Self::Parts { places: Vec::with_capacity(capacity), objects: Vec::new() }
    }

    /// Adds the place of the sample with this key; `false` where it cannot be held here: a part among whole objects, or
    /// numbers that no object has.
    pub(super) fn push(&mut self, key: &str, spot: Spot<'_>) -> bool {
        match self {
            // So that it fits among parts, if parts come.
            Self::Whole(versions) if spot.is_own(key) && Place::new(0, spot.part).is_some() => {
                versions.push(spot.listed);
            }
            Self::Whole(_) => return false,
            Self::Parts { places, objects } => {
                let has_rows = matches!(spot.part, Part::Row { .. });
                // Members come archive by archive.
                if objects.last().is_none_or(|last| !last.is(spot, has_rows)) {
                    let Ok(name) = spot.object.parse() else { return false };
                    objects.push(Object { name, listed: spot.listed, has_rows });
                }
                let object = u32::try_from(objects.len() - 1).ok();
                let Some(place) = object.and_then(|object| Place::new(object, spot.part)) else { return false };
                places.push(place);
            }
        }
        true
    }

    /// Where the sample of this key lies, which has this position.
    pub(super) fn spot<'a>(&'a self, at: usize, key: &'a str) -> Option<Spot<'a>> {
        match self {
            Self::Whole(versions) => Some(Spot::whole(key, *versions.get(at)?)),
            Self::Parts { places, objects } => {
                let place = places.get(at)?;
                let object = objects.get(place.object as usize)?;
                let part = place.part(object.has_rows);
                Some(Spot { object: object.name.as_str(), listed: object.listed, part })
            }
        }
    }

    /// The memory that the places take.
    pub(super) fn memory(&self) -> usize {
        match self {
            Self::Whole(versions) => size_of_val(&**versions),
            Self::Parts { places, objects } => {
                let names: usize = objects.iter().map(|object| object.name.as_str().len()).sum();
                size_of_val(&**places) + size_of_val(&**objects) + names
            }
        }
    }
}

// === impl Place ===

impl Place {
    /// Numbers of more bits are those of no object.
    const BITS: u32 = 48;

    pub(super) fn new(object: u32, part: Part) -> Option<Self> {
        let (begin, length) = match part {
            Part::Bytes { offset, length } => (offset, length),
            Part::Row { number, about } => (number, about),
        };
        let packed = |number: u64| {
            let fits = number >> Self::BITS == 0;
            number.to_le_bytes().first_chunk().copied().filter(|_| fits)
        };
        Some(Self { object, begin: packed(begin)?, length: packed(length)? })
    }

    /// The object's position, and the two numbers.
    pub(super) fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&self.object.to_le_bytes());
        bytes[4..10].copy_from_slice(&self.begin);
        bytes[10..].copy_from_slice(&self.length);
        bytes
    }

    pub(super) fn from_bytes([o, p, q, r, begin @ .., u, v, w, x, y, z]: [u8; 16]) -> Self {
        Self { object: u32::from_le_bytes([o, p, q, r]), begin, length: [u, v, w, x, y, z] }
    }

    pub(super) fn part(self, is_row: bool) -> Part {
        let number = |[a, b, c, d, e, f]: [u8; 6]| u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
        let (begin, length) = (number(self.begin), number(self.length));
        match is_row {
            true => Part::Row { number: begin, about: length },
            false => Part::Bytes { offset: begin, length },
        }
    }
}

// === impl Object ===

impl Object {
    fn is(&self, spot: Spot<'_>, has_rows: bool) -> bool {
        self.name.as_str() == spot.object && self.listed == spot.listed && self.has_rows == has_rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_held_in_16_bytes_and_is_the_same_again() {
        assert_eq!(size_of::<Place>(), 16);
        let most = (1 << 48) - 1;
        for part in [
            Part::Bytes { offset: 0, length: most },
            Part::Bytes { offset: most, length: 1 },
            Part::Row { number: 258, about: 70_000 },
        ] {
            let is_row = matches!(part, Part::Row { .. });
            let place = Place::new(7, part).unwrap();
            assert_eq!((place.object, place.part(is_row)), (7, part));
            assert_eq!(Place::from_bytes(place.to_bytes()), place);
        }
        assert_eq!(Place::new(0, Part::Bytes { offset: most + 1, length: 1 }), None);
        assert_eq!(Place::new(0, Part::Row { number: 1, about: most + 1 }), None);
    }
}
