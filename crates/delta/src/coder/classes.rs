//! Which exponents share a table.
//!
//! ```text
//! classes = number of classes, (last exponent, frequencies) for each
//! ```

use crate::error::DeltaError;
use crate::number::Reader;

use super::MAX_CLASSES;
use super::frequencies::{Counts, Frequencies};
use super::tokens::TOKENS;

/// Exponents that there are.
pub(super) const EXPONENTS: usize = 256;

/// What a token in a table's header takes, in bits.
const TOKEN_BITS: f32 = 10.0;
/// What else a class takes, in bits.
const CLASS_BITS: f32 = 40.0;

/// The classes of a block, in the order of their exponents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Classes {
    /// The last exponent of each class, and its table. The last class has the last exponent.
    pub(super) classes: Vec<(u8, Frequencies)>,
}

/// Exponents side by side that have been counted together.
struct Group {
    last: u8,
    counts: Counts,
    bits: f32,
}

// === impl Classes ===

impl Classes {
    /// The classes that take fewest bits, as far as neighbours can be joined one by one.
    pub(super) fn of(counts: &[Counts], most: usize) -> Self {
        let numbered = counts.iter().enumerate().filter(|(_, counts)| counts.iter().any(|count| *count > 0));
        let mut groups: Vec<_> = numbered.map(|(at, counts)| Group::new(at as u8, *counts)).collect();
        let mut joined: Vec<_> = groups.windows(2).map(|pair| pair[0].with(&pair[1])).collect();
        while let Some(at) = best(&groups, &joined, groups.len() > most.min(MAX_CLASSES)) {
            groups.remove(at);
            groups[at] = joined.remove(at);
            if at > 0 {
                joined[at - 1] = groups[at - 1].with(&groups[at]);
            }
            if at < joined.len() {
                joined[at] = groups[at].with(&groups[at + 1]);
            }
        }
        if let Some(last) = groups.last_mut() {
            last.last = u8::MAX;
        }
        Self { classes: groups.iter().map(|group| (group.last, Frequencies::of(&group.counts))).collect() }
    }

    pub(super) fn read(reader: &mut Reader<'_>, most: usize) -> Result<Self, DeltaError> {
        let count = usize::from(reader.byte()?);
        if count == 0 || count > most.min(MAX_CLASSES) {
            return Err(DeltaError::Malformed("a block has too many classes"));
        }
        let mut classes: Vec<(u8, Frequencies)> = Vec::with_capacity(count);
        for _ in 0..count {
            let last = reader.byte()?;
            if classes.last().is_some_and(|(before, _)| *before >= last) {
                return Err(DeltaError::Malformed("classes are out of order"));
            }
            classes.push((last, Frequencies::read(reader)?));
        }
        if classes.last().is_some_and(|(last, _)| *last < u8::MAX) {
            return Err(DeltaError::Malformed("some exponents have no class"));
        }
        Ok(Self { classes })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.push(self.classes.len() as u8);
        for (last, frequencies) in &self.classes {
            out.push(*last);
            frequencies.write(out);
        }
    }

    /// The number of the class of each exponent.
    pub(super) fn by_exponent(&self) -> [usize; EXPONENTS] {
        let mut by_exponent = [0; EXPONENTS];
        let mut first = 0;
        for (class, (last, _)) in self.classes.iter().enumerate() {
            by_exponent[first..=usize::from(*last)].fill(class);
            first = usize::from(*last) + 1;
        }
        by_exponent
    }
}

/// The pair of neighbours that is best joined; none where each is better for itself, unless one `must` be.
fn best(groups: &[Group], joined: &[Group], must: bool) -> Option<usize> {
    let saved = |at: usize| groups[at].bits + groups[at + 1].bits - joined[at].bits;
    let best = (0..joined.len()).max_by(|a, b| saved(*a).total_cmp(&saved(*b)))?;
    (must || saved(best) > 0.0).then_some(best)
}

// === impl Group ===

impl Group {
    fn new(last: u8, counts: Counts) -> Self {
        Self { last, bits: bits(&counts), counts }
    }

    fn with(&self, next: &Self) -> Self {
        let mut counts = self.counts;
        counts.iter_mut().zip(&next.counts).for_each(|(count, more)| *count += more);
        Self::new(next.last, counts)
    }
}

/// What counted tokens take in a class of their own: their entropy, and its header.
fn bits(counts: &Counts) -> f32 {
    let (mut total, mut sum, mut tokens) = (0, 0.0, 0);
    for &count in counts.iter().filter(|count| **count > 0) {
        total += count;
        tokens += 1;
        sum += count as f32 * (count as f32).log2();
    }
    total as f32 * (total.max(1) as f32).log2() - sum + tokens as f32 * TOKEN_BITS + CLASS_BITS
}

/// Tokens counted by exponent, of which none is above this.
pub(super) fn no_counts(most: u32) -> Vec<Counts> {
    vec![[0; TOKENS]; most as usize + 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(of: &[(usize, usize, u32)]) -> Vec<Counts> {
        let mut counts = no_counts(255);
        of.iter().for_each(|&(exponent, token, count)| counts[exponent][token] += count);
        counts
    }

    #[test]
    fn exponents_are_apart_where_their_tokens_differ() {
        let counts = counted(&[(100, 3, 1000), (101, 3, 900), (110, 40, 2000), (111, 3, 1000)]);
        let classes = Classes::of(&counts, MAX_CLASSES);
        let last: Vec<_> = classes.classes.iter().map(|(last, _)| *last).collect();
        assert_eq!(last, [101, 110, 255]);
        let by_exponent = classes.by_exponent();
        assert_eq!([0, 100, 101, 102, 110, 111, 255].map(|at| by_exponent[at]), [0, 0, 0, 1, 1, 2, 2]);
        let mut bytes = Vec::new();
        classes.write(&mut bytes);
        assert_eq!(Classes::read(&mut Reader::new(&bytes), MAX_CLASSES), Ok(classes));
        assert!(Classes::read(&mut Reader::new(&bytes), 2).is_err(), "too many for so few elements");
        assert_eq!(Classes::of(&counts, 2).classes.len(), 2);
    }

    #[test]
    fn few_elements_are_in_one_class() {
        let counts = counted(&[(100, 3, 2), (101, 4, 2), (102, 9, 1)]);
        assert_eq!(Classes::of(&counts, MAX_CLASSES).classes.len(), 1);
    }

    #[test]
    fn classes_out_of_order_are_refused() {
        let table = [0, 0, 0x80, 0x04];
        let of = |exponents: &[u8]| {
            let mut bytes = vec![exponents.len() as u8];
            exponents.iter().for_each(|last| bytes.extend([&[*last][..], &table].concat()));
            Classes::read(&mut Reader::new(&bytes), MAX_CLASSES).is_ok()
        };
        assert!(of(&[255]) && of(&[3, 255]));
        assert!(!of(&[]) && !of(&[3]) && !of(&[3, 3, 255]) && !of(&[255, 3]) && !of(&[9; 17]));
    }
}
