//! How often each token comes in a class, in parts of [`SLOTS`].
//!
//! ```text
//! frequencies = first token, number of tokens - 1, as many numbers
//! ```

use crate::error::DeltaError;
use crate::number::{Reader, push};

use super::SLOTS;
use super::tokens::TOKENS;

/// How many slots of a table each token has; together they have all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frequencies(pub(super) [u16; TOKENS]);

/// How often each token was counted.
pub(super) type Counts = [u32; TOKENS];

// === impl Frequencies ===

impl Frequencies {
    /// What is nearest to counts, of which one at least is not 0.
    pub(super) fn of(counts: &Counts) -> Self {
        let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
        let nearest = |count: u32| match u64::from(count) * SLOTS as u64 / total.max(1) {
            0 => u16::from(count > 0),
            slots => slots as u16,
        };
        let mut slots = counts.map(nearest);
        let mut left = SLOTS as i32 - slots.iter().map(|slots| i32::from(*slots)).sum::<i32>();
        while left != 0 {
            // The largest is changed least by it.
            let largest = slots.iter_mut().max_by_key(|slots| **slots);
            let Some(largest) = largest else { break };
            let change = left.max(-i32::from(*largest) / 2);
            *largest = (i32::from(*largest) + change) as u16;
            left -= change;
        }
        Self(slots)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DeltaError> {
        let mut slots = [0; TOKENS];
        let (first, more) = (usize::from(reader.byte()?), usize::from(reader.byte()?));
        let named = slots.get_mut(first..=first + more).ok_or(DeltaError::Malformed("there is no such token"))?;
        let mut left = SLOTS;
        for slot in named {
            let taken = reader.number(left)?;
            left -= taken;
            *slot = taken as u16;
        }
        if left > 0 {
            return Err(DeltaError::Malformed("a table of tokens has gaps"));
        }
        Ok(Self(slots))
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let first = self.0.iter().position(|slots| *slots > 0).unwrap_or(0);
        let last = self.0.iter().rposition(|slots| *slots > 0).unwrap_or(0);
        out.extend_from_slice(&[first as u8, (last - first) as u8]);
        self.0[first..=last].iter().for_each(|slots| push(out, usize::from(*slots)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn frequencies_make_up_a_table_and_come_back(
            counted in prop::collection::vec((0..TOKENS, 1_u32..1 << 20), 1..200),
        ) {
            let mut counts = [0; TOKENS];
            counted.iter().for_each(|(token, count)| counts[*token] += count);
            let frequencies = Frequencies::of(&counts);
            prop_assert_eq!(frequencies.0.iter().map(|slots| usize::from(*slots)).sum::<usize>(), SLOTS);
            let kept = frequencies.0.iter().zip(&counts).all(|(slots, count)| (*slots > 0) == (*count > 0));
            prop_assert!(kept);
            let mut bytes = Vec::new();
            frequencies.write(&mut bytes);
            prop_assert_eq!(Frequencies::read(&mut Reader::new(&bytes)), Ok(frequencies));
        }
    }

    #[test]
    fn tables_with_gaps_or_of_other_tokens_are_refused() {
        for bytes in [&[0, 0, 5][..], &[127, 1, 1, 1], &[200, 0, 0], &[0, 1, 0xff, 0x03, 2], &[0, 0]] {
            assert!(Frequencies::read(&mut Reader::new(bytes)).is_err(), "{bytes:?}");
        }
    }
}
