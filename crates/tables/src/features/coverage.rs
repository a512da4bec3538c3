//! Which samples are still missing from a folder of parts, and into which parts they will go.

use std::num::NonZeroU64;
use std::ops::Range;

use headwater_types::{FailureKind, SampleIndex};

/// A part that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Present {
    /// The global indices that it answers for.
    pub range: Range<u64>,
    /// The samples that failed, in index order.
    pub failed: Vec<(u64, FailureKind)>,
    /// The samples that had not come when it was written, in index order.
    pub missing: Vec<SampleIndex>,
}

/// Which of the samples that failed before are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryFailed {
    /// Samples whose failure may have passed: the store or the server could not be read just then.
    Passing,
    /// Every sample that failed.
    All,
}

/// A part that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartTask {
    /// The global indices that it will answer for.
    pub range: Range<u64>,
    /// The samples of the range that are still to come.
    pub missing: Missing,
}

/// What is missing from a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The part is not there.
    All,
    /// The part is there, and these samples of it failed, or had not come when it was written.
    Some(Vec<SampleIndex>),
}

/// The parts that are to be written, in index order. With them the folder holds `0..samples`, each sample once.
///
/// Gaps are filled by parts that end at multiples of `part_rows`, so that a folder ends up cut the same way however
/// often it was resumed.
pub fn tasks(samples: u64, part_rows: NonZeroU64, present: &[Present], retry: RetryFailed) -> Vec<PartTask> {
    let mut tasks = Vec::new();
    let mut covered = 0;
    for part in present {
        fill(covered..part.range.start, part_rows, &mut tasks);
        covered = part.range.end;
        let again = part.failed.iter().filter(|(_, kind)| retry.includes(*kind)).map(|(index, _)| SampleIndex(*index));
        let mut missing: Vec<_> = again.chain(part.missing.iter().copied()).collect();
        missing.sort_unstable();
        if !missing.is_empty() {
            tasks.push(PartTask { range: part.range.clone(), missing: Missing::Some(missing) });
        }
    }
    fill(covered..samples, part_rows, &mut tasks);
    tasks
}

fn fill(gap: Range<u64>, part_rows: NonZeroU64, tasks: &mut Vec<PartTask>) {
    let mut start = gap.start;
    while start < gap.end {
        let end = (start / part_rows + 1).saturating_mul(part_rows.get()).min(gap.end);
        tasks.push(PartTask { range: start..end, missing: Missing::All });
        start = end;
    }
}

// === impl PartTask ===

impl PartTask {
    /// The samples to fetch.
    pub fn indices(&self) -> impl Iterator<Item = SampleIndex> + '_ {
        let (range, list) = match &self.missing {
            Missing::All => (self.range.clone(), &[][..]),
            Missing::Some(list) => (0..0, list.as_slice()),
        };
        range.map(SampleIndex).chain(list.iter().copied())
    }
}

// === impl RetryFailed ===

impl RetryFailed {
    /// Whether a failure of this kind is tried again.
    pub fn includes(self, kind: FailureKind) -> bool {
        self == Self::All || kind.is_retryable()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any set of disjoint parts with some failures, and some samples that had not come.
    fn presents() -> impl Strategy<Value = (u64, Vec<Present>)> {
        // Of each sample: 0, it is there; 1, it failed; 2, it had not come.
        let samples = proptest::array::uniform8(0_u8..3);
        let pieces = proptest::collection::vec((1_u64..9, any::<bool>(), samples, any::<bool>()), 0..12);
        pieces.prop_map(|pieces| {
            let (mut at, mut present) = (0, Vec::new());
            for (length, is_there, states, passing) in pieces {
                let kind = if passing { FailureKind::Unavailable } else { FailureKind::Malformed };
                let of =
                    |state| (at..at + length).zip(states).filter(move |(_, of)| *of == state).map(|(index, _)| index);
                if is_there {
                    present.push(Present {
                        range: at..at + length,
                        failed: of(1).map(|index| (index, kind)).collect(),
                        missing: of(2).map(SampleIndex).collect(),
                    });
                }
                at += length;
            }
            (at, present)
        })
    }

    proptest! {
        #[test]
        fn parts_and_tasks_together_hold_each_sample_once(
            (samples, present) in presents(),
            rows in 1_u64..6,
            all: bool,
        ) {
            let retry = if all { RetryFailed::All } else { RetryFailed::Passing };
            let tasks = tasks(samples, NonZeroU64::new(rows).unwrap(), &present, retry);
            let mut fetched: Vec<u64> = tasks.iter().flat_map(|task| task.indices().map(|index| index.0)).collect();
            let kept = present.iter().flat_map(|part| {
                part.range.clone().filter(|index| {
                    !part.failed.iter().any(|(failed, kind)| failed == index && retry.includes(*kind))
                        && !part.missing.contains(&SampleIndex(*index))
                })
            });
            fetched.extend(kept);
            fetched.sort_unstable();
            prop_assert_eq!(fetched, (0..samples).collect::<Vec<_>>());
            for task in &tasks {
                prop_assert!(task.missing != Missing::All || task.range.end - task.range.start <= rows);
                prop_assert!(task.missing == Missing::All || present.iter().any(|part| part.range == task.range));
            }
        }
    }

    #[test]
    fn a_gap_is_cut_where_a_fresh_folder_would_be() {
        let present = [Present { range: 3..5, failed: vec![], missing: vec![] }];
        let ranges: Vec<_> = tasks(11, NonZeroU64::new(4).unwrap(), &present, RetryFailed::All)
            .into_iter()
            .map(|task| task.range)
            .collect();
        assert_eq!(ranges, [0..3, 5..8, 8..11]);
    }
}
