//! What a target is put together from, in its order.
//!
//! ```text
//! part = kind, length [, jump]
//! kind 0: a copy of bytes of the base      kind 1 + 2 e: elements e that the base lacks
//!                                          kind 2 + 2 e: elements e that differ from those of the base
//! jump: how far behind the end of the last bytes of the base these begin; a number n <  0 is -2 n - 1, others 2 n
//! ```

use crate::element::Element;
use crate::error::DeltaError;
use crate::limits::Limits;
use crate::number::{Reader, push};
use crate::runs::Run;

/// Bytes of a part that has the largest numbers.
const MAX_PART_BYTES: usize = 19;
/// There are few parts: they may take their time.
const LEVEL: i32 = 9;

/// Where bytes of the target come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Copy,
    Fresh(Element),
    Against(Element),
}

/// Bytes of the target that come from one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) kind: Kind,
    pub(crate) length: usize,
    /// Where the bytes lie in the base that they are copied from or differ from.
    pub(crate) base: usize,
}

/// The parts of a target, in its order. Their lengths make up the target's; what they take of the base is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parts(Vec<Part>);

// === impl Kind ===

impl Kind {
    /// The kinds whose bytes are coded in blocks, in the order of their streams.
    pub(crate) fn streams() -> impl Iterator<Item = Self> {
        Element::ALL.into_iter().flat_map(|element| [Self::Fresh(element), Self::Against(element)])
    }

    fn number(self) -> u8 {
        match self {
            Self::Copy => 0,
            Self::Fresh(element) => 1 + 2 * element as u8,
            Self::Against(element) => 2 + 2 * element as u8,
        }
    }

    fn read(number: u8) -> Result<Self, DeltaError> {
        let Some(index) = number.checked_sub(1) else { return Ok(Self::Copy) };
        let element = Element::ALL.get(usize::from(index / 2)).ok_or(DeltaError::Malformed("a part of no kind"))?;
        Ok(if index % 2 == 0 { Self::Fresh(*element) } else { Self::Against(*element) })
    }

    fn width(self) -> usize {
        match self {
            Self::Copy => 1,
            Self::Fresh(element) | Self::Against(element) => element.width(),
        }
    }

    fn has_base(self) -> bool {
        !matches!(self, Self::Fresh(_))
    }
}

// === impl Parts ===

impl Parts {
    /// Adds a part; one that goes on where the last ends becomes one with it.
    pub(crate) fn push(&mut self, part: Part) {
        match self.0.last_mut() {
            _ if part.length == 0 => {}
            Some(last) if last.kind == part.kind && last.goes_on_at(part.base) => last.length += part.length,
            _ => self.0.push(part),
        }
    }

    /// Reads parts, which must make up a target of so many bytes from a base of so many.
    pub(crate) fn read(
        reader: &mut Reader<'_>,
        [base_bytes, target_bytes]: [usize; 2],
        limits: &Limits,
    ) -> Result<Self, DeltaError> {
        let count = reader.number(usize::MAX)?;
        if count > limits.max_parts {
            return Err(DeltaError::TooManyParts { actual: count as u64, limit: limits.max_parts });
        }
        let length = reader.number(count.saturating_mul(MAX_PART_BYTES))?;
        let packed_length = reader.number(length)?;
        let packed = reader.take(packed_length)?;
        if packed_length == length {
            return Self::list(Reader::new(packed), count, [base_bytes, target_bytes]);
        }
        let mut plain = vec![0; length];
        let unpacked = zstd::bulk::decompress_to_buffer(packed, &mut plain);
        if unpacked.ok() != Some(length) {
            return Err(DeltaError::Malformed("its parts cannot be unpacked"));
        }
        Self::list(Reader::new(&plain), count, [base_bytes, target_bytes])
    }

    fn list(mut plain: Reader<'_>, count: usize, [base_bytes, target_bytes]: [usize; 2]) -> Result<Self, DeltaError> {
        let (mut parts, mut left, mut behind) = (Vec::new(), target_bytes, 0);
        for _ in 0..count {
            let part = Part::read(&mut plain, left, behind, base_bytes)?;
            left -= part.length;
            behind = part.behind().unwrap_or(behind);
            parts.push(part);
        }
        if left > 0 || !plain.is_empty() {
            return Err(DeltaError::Malformed("its parts do not make up the model"));
        }
        Ok(Self(parts))
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let (mut plain, mut behind) = (Vec::new(), 0);
        for part in &self.0 {
            part.write(&mut plain, behind);
            behind = part.behind().unwrap_or(behind);
        }
        let packed = zstd::bulk::compress(&plain, LEVEL).ok().filter(|packed| packed.len() < plain.len());
        push(out, self.0.len());
        push(out, plain.len());
        push(out, packed.as_ref().unwrap_or(&plain).len());
        out.extend_from_slice(packed.as_ref().unwrap_or(&plain));
    }

    /// Copies what is copied to where it lies in the target.
    pub(crate) fn copy(&self, base: &[u8], target: &mut [u8]) {
        for run in self.runs(Kind::Copy) {
            target[run.target..run.target + run.length].copy_from_slice(run.of_base(base));
        }
    }

    /// The places of one kind of part, in order.
    pub(crate) fn runs(&self, kind: Kind) -> Vec<Run> {
        let mut at = 0;
        let placed = self.0.iter().map(|part| {
            let run = Run { target: at, base: part.base, length: part.length };
            at += part.length;
            (part.kind, run)
        });
        placed.filter(|(of, _)| *of == kind).map(|(_, run)| run).collect()
    }
}

// === impl Part ===

impl Part {
    fn read(plain: &mut Reader<'_>, left: usize, behind: usize, base_bytes: usize) -> Result<Self, DeltaError> {
        let kind = Kind::read(plain.byte()?)?;
        let length = plain.number(left)?;
        if length == 0 || !length.is_multiple_of(kind.width()) {
            return Err(DeltaError::Malformed("a part is of no whole number of elements"));
        }
        if !kind.has_base() {
            return Ok(Self { kind, length, base: 0 });
        }
        let jump = plain.number(usize::MAX)?;
        let distance = jump.div_ceil(2);
        let base = if jump % 2 == 0 { behind.checked_add(distance) } else { behind.checked_sub(distance) };
        let fits = |base: &usize| base.checked_add(length).is_some_and(|end| end <= base_bytes);
        let base = base.filter(fits).ok_or(DeltaError::Malformed("a part lies outside the base"))?;
        Ok(Self { kind, length, base })
    }

    fn write(&self, plain: &mut Vec<u8>, behind: usize) {
        plain.push(self.kind.number());
        push(plain, self.length);
        if self.kind.has_base() {
            push(plain, if self.base >= behind { (self.base - behind) * 2 } else { (behind - self.base) * 2 - 1 });
        }
    }

    /// Where its bytes of the base end.
    fn behind(&self) -> Option<usize> {
        self.kind.has_base().then_some(self.base + self.length)
    }

    fn goes_on_at(&self, base: usize) -> bool {
        self.behind().is_none_or(|behind| behind == base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(of: &[(Kind, usize, usize)]) -> Parts {
        let mut parts = Parts::default();
        of.iter().for_each(|&(kind, length, base)| parts.push(Part { kind, length, base }));
        parts
    }

    fn read(bytes: &[u8], sizes: [usize; 2], limits: &Limits) -> Result<Parts, DeltaError> {
        let mut reader = Reader::new(bytes);
        Parts::read(&mut reader, sizes, limits)
    }

    #[test]
    fn parts_come_back_and_neighbours_are_one() {
        let floats = Kind::Against(Element::Float32);
        let wanted = [(Kind::Copy, 7, 0), (Kind::Copy, 3, 7), (Kind::Fresh(Element::Byte), 5, 0), (floats, 8, 2)];
        let parts = parts(&wanted);
        assert_eq!(parts.0.len(), 3);
        let mut bytes = Vec::new();
        parts.write(&mut bytes);
        assert_eq!(read(&bytes, [10, 23], &Limits::default()), Ok(parts.clone()));
        assert!(read(&bytes, [9, 23], &Limits::default()).is_err(), "a part lies outside the base");
        assert!(read(&bytes, [10, 24], &Limits::default()).is_err(), "some of the target is missing");
        assert!(read(&bytes, [10, 22], &Limits::default()).is_err());
        let few = Limits { max_parts: 2, ..Limits::default() };
        assert_eq!(read(&bytes, [10, 23], &few), Err(DeltaError::TooManyParts { actual: 3, limit: 2 }));
        assert_eq!(parts.runs(floats), [Run { target: 15, base: 2, length: 8 }]);
    }

    #[test]
    fn every_kind_has_a_number_of_its_own() {
        for kind in Kind::streams().chain([Kind::Copy]) {
            assert_eq!(Kind::read(kind.number()), Ok(kind));
        }
        assert!(Kind::read(15).is_err());
    }

    #[test]
    fn a_part_of_half_an_element_is_refused() {
        let mut bytes = Vec::new();
        parts(&[(Kind::Fresh(Element::Float32), 6, 0)]).write(&mut bytes);
        assert!(matches!(read(&bytes, [0, 6], &Limits::default()), Err(DeltaError::Malformed(_))));
    }
}
