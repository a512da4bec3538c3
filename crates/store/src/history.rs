//! What differed between the generations of a dataset, from each to the next: with it, a client that comes back late
//! finds where its samples are now.
//!
//! ```text
//! "hw-steps" | steps u64, each: from 32 | to 32 | removed, added, replaced: ranges u64, each: start u64, end u64
//! ```
//!
//! Numbers are little endian. Invariants: each step begins where the one before ends; there are at most so many steps
//! and ranges, and the oldest go first.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::sync::Arc;

use headwater_types::{Differences, Digest};

use crate::kept::{Reader, Writer, damaged};

/// Steps from generation to generation.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    /// From the oldest on.
    steps: VecDeque<Step>,
}

/// What differs between a generation and the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    from: Digest,
    to: Digest,
    differences: Arc<Differences>,
}

const MAGIC: [u8; 8] = *b"hw-steps";
/// Most steps that are kept.
const MOST_STEPS: usize = 64;
/// Most ranges of all those steps: 16 bytes each.
const MOST_RANGES: usize = 1 << 20;

// === impl History ===

impl History {
    /// Adds the step to a next generation.
    pub(crate) fn add(&mut self, from: Digest, to: Digest, differences: Arc<Differences>) {
        // What was noted of generations that the next is not made from leads nowhere.
        while self.steps.back().is_some_and(|last| last.to != from) {
            self.steps.pop_back();
        }
        self.steps.push_back(Step { from, to, differences });
        let ranges = |steps: &VecDeque<Step>| steps.iter().map(Step::ranges).sum::<usize>();
        while self.steps.len() > MOST_STEPS || ranges(&self.steps) > MOST_RANGES {
            self.steps.pop_front();
        }
    }

    /// The steps from one generation to another, in their order; `None` where the way is not known.
    pub(crate) fn between(&self, from: Digest, to: Digest) -> Option<Vec<Step>> {
        // A dataset may become again what it was: the latest way counts.
        let end = self.steps.iter().rposition(|step| step.to == to)?;
        let start = self.steps.iter().take(end + 1).rposition(|step| step.from == from)?;
        Some(self.steps.range(start..=end).cloned().collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    pub(crate) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut out = Writer(out);
        out.bytes(&MAGIC)?;
        out.u64(self.steps.len() as u64)?;
        for Step { from, to, differences } in &self.steps {
            out.bytes(from.as_bytes())?;
            out.bytes(to.as_bytes())?;
            let Differences { removed, added, replaced } = &**differences;
            for ranges in [removed, added, replaced] {
                out.u64(ranges.len() as u64)?;
                out.column(ranges.iter().flat_map(|range| [range.start, range.end]).map(u64::to_le_bytes))?;
            }
        }
        Ok(())
    }

    /// Reads steps that were written in so many bytes.
    pub(crate) fn read(from: &mut dyn Read, bytes: u64) -> io::Result<Self> {
        let mut from = Reader::new(from, bytes);
        if from.array()? != MAGIC {
            return Err(damaged("it has no steps of this version"));
        }
        let steps: VecDeque<_> = from.many(32 + 32 + 3 * 8, MOST_STEPS, read_step)?.into();
        from.finish()?;
        let is_joined = steps.iter().zip(steps.iter().skip(1)).all(|(one, next): (&Step, &Step)| one.to == next.from);
        if is_joined { Ok(Self { steps }) } else { Err(damaged("its steps do not follow on each other")) }
    }
}

// === impl Step ===

impl Step {
    /// What differs between the ends of all these steps.
    pub fn compose(steps: &[Self]) -> Differences {
        let mut steps = steps.iter().map(|step| &*step.differences);
        let first = steps.next().cloned().unwrap_or_default();
        steps.fold(first, |all, next| all.then(next))
    }

    fn ranges(&self) -> usize {
        let Differences { removed, added, replaced } = &*self.differences;
        removed.len() + added.len() + replaced.len()
    }
}

/// The number of steps in kept bytes: what the store makes of a file that may be anybody's, for those who test it.
///
/// # Errors
/// The reason for which the bytes are no steps.
pub fn count_steps(bytes: &[u8]) -> Result<usize, String> {
    History::read(&mut &*bytes, bytes.len() as u64).map(|read| read.steps.len()).map_err(|error| error.to_string())
}

fn read_step(from: &mut Reader<'_>) -> io::Result<Step> {
    let (earlier, to) = (from.digest()?, from.digest()?);
    let (removed, added, replaced) = (read_ranges(from)?, read_ranges(from)?, read_ranges(from)?);
    Ok(Step { from: earlier, to, differences: Arc::new(Differences { removed, added, replaced }) })
}

fn read_ranges(from: &mut Reader<'_>) -> io::Result<Vec<Range<u64>>> {
    let count = from.count(16, MOST_RANGES as u64)?;
    let mut last = None;
    from.column(count, |bytes: [u8; 16]| {
        let (start, end) = bytes.split_at(8);
        let number = |bytes: &[u8]| bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let range = number(start)..number(end);
        let is_next = range.start < range.end && last.is_none_or(|last| last < range.start);
        last = Some(range.end);
        if is_next { Ok(range) } else { Err(damaged("its ranges are not in order, or one is empty")) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: u8) -> Digest {
        Digest::of(&[number])
    }

    fn differences(removed: u64) -> Arc<Differences> {
        let every = |step: u64| (0..removed).map(|at| at * step..at * step + 1).collect();
        Arc::new(Differences { removed: every(2), added: every(3), replaced: Vec::new() })
    }

    fn bytes(history: &History) -> Vec<u8> {
        let mut bytes = Vec::new();
        history.write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn steps_are_read_as_they_were_written_and_nothing_else_is() {
        let mut history = History::default();
        (0..3).for_each(|at| history.add(digest(at), digest(at + 1), differences(u64::from(at) * 5)));
        let written = bytes(&history);
        let read = History::read(&mut &*written, written.len() as u64).unwrap();
        assert_eq!(read.steps, history.steps);
        assert_eq!(read.between(digest(1), digest(3)).unwrap().len(), 2);
        assert_eq!(read.between(digest(3), digest(1)), None);
        for at in 0..written.len() {
            assert!(count_steps(&written[..at]).is_err(), "up to {at}");
        }
        let mut torn = written.clone();
        torn[16] ^= 1;
        torn[16 + 32] ^= 1;
        assert!(count_steps(&torn).unwrap_err().contains("do not follow"));
        torn[0] ^= 1;
        assert!(count_steps(&torn).is_err());
    }

    #[test]
    fn steps_that_lead_elsewhere_and_the_oldest_of_too_many_are_let_go() {
        let mut history = History::default();
        history.add(digest(0), digest(1), differences(1));
        history.add(digest(1), digest(2), differences(1));
        // A server that was stopped between writing its steps and its catalog begins with the earlier one.
        history.add(digest(1), digest(3), differences(2));
        assert_eq!(history.between(digest(0), digest(3)).unwrap().len(), 2);
        assert_eq!(history.between(digest(0), digest(2)), None);
        (3..100).for_each(|at| history.add(digest(at), digest(at + 1), differences(1)));
        assert_eq!((history.steps.len(), history.between(digest(3), digest(100))), (MOST_STEPS, None));
        history.add(digest(100), digest(101), differences(MOST_RANGES as u64 / 2));
        assert_eq!(history.steps.len(), 1);
        history.add(digest(101), digest(102), differences(MOST_RANGES as u64));
        assert_eq!(history.steps.len(), 0, "more differs than is kept");
    }
}
