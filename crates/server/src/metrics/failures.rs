//! The samples that failed last, by key: what a person looks for once a counter of failures has moved.
//!
//! A sample that fails again, in the same way, is one entry that is counted. Memory is bounded: so many entries, and of
//! each message so many bytes.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use headwater_types::caps::{LAST_FAILURE_BYTES, LAST_FAILURES};
use headwater_types::{DatasetName, FailureKind, SampleFailure, SampleIndex, SampleKey};
use tokio::time::Instant;

/// The last failures, the latest at the end.
#[derive(Debug, Default)]
pub(super) struct LastFailures(Mutex<VecDeque<LastFailure>>);

/// A sample that failed.
#[derive(Clone, Debug)]
pub(crate) struct LastFailure {
    pub(crate) dataset: DatasetName,
    pub(crate) index: SampleIndex,
    /// `None` for an index that is not in the dataset.
    pub(crate) key: Option<SampleKey>,
    pub(crate) kind: FailureKind,
    /// Of its last failure, cut to [`LAST_FAILURE_BYTES`].
    pub(crate) message: String,
    /// How often it failed so since it was first among these.
    pub(crate) times: u64,
    pub(crate) at: Instant,
}

// === impl LastFailures ===

impl LastFailures {
    /// Notes a failure. The one of longest ago makes way.
    pub(super) fn note(
        &self,
        dataset: &DatasetName,
        (index, key): (SampleIndex, Option<&SampleKey>),
        failure: &SampleFailure,
    ) {
        let message = cut(&failure.message).to_owned();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // By key: the index of a photo is another one after a reload.
        let same = |known: &LastFailure| {
            known.kind == failure.kind
                && known.key.as_ref() == key
                && (key.is_some() || known.index == index)
                && known.dataset == *dataset
        };
        let known = last.iter().rposition(same).and_then(|place| last.remove(place));
        if last.len() >= LAST_FAILURES {
            last.pop_front();
        }
        last.push_back(LastFailure {
            dataset: dataset.clone(),
            index,
            key: key.cloned(),
            kind: failure.kind,
            message,
            times: 1 + known.map_or(0, |known| known.times),
            at: Instant::now(),
        });
    }

    /// All of them, the latest first.
    pub(super) fn all(&self) -> Vec<LastFailure> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }
}

/// As much of a message as is kept.
fn cut(message: &str) -> &str {
    &message[..message.floor_char_boundary(LAST_FAILURE_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(last: &LastFailures, key: &str, kind: FailureKind, message: &str) {
        let key: SampleKey = key.parse().unwrap();
        let failure = SampleFailure::new(kind, message);
        last.note(&"photos".parse().unwrap(), (SampleIndex(0), Some(&key)), &failure);
    }

    #[test]
    fn a_sample_that_fails_again_is_one_entry_and_the_latest_comes_first() {
        let last = LastFailures::default();
        note(&last, "a.jpg", FailureKind::Io, "first");
        note(&last, "b.jpg", FailureKind::Malformed, "broken");
        note(&last, "a.jpg", FailureKind::Io, "second");
        note(&last, "a.jpg", FailureKind::NotFound, "gone");
        let all: Vec<_> = last.all().into_iter().map(|each| (each.message, each.times)).collect();
        assert_eq!(all, [("gone".to_owned(), 1), ("second".to_owned(), 2), ("broken".to_owned(), 1)]);
    }

    #[test]
    fn there_are_at_most_so_many_and_messages_end_at_a_letter() {
        let last = LastFailures::default();
        for number in 0..LAST_FAILURES + 5 {
            note(&last, &format!("{number}.jpg"), FailureKind::Io, &"é".repeat(LAST_FAILURE_BYTES));
        }
        let all = last.all();
        assert_eq!(all.len(), LAST_FAILURES);
        assert_eq!(all.last().and_then(|each| each.key.clone()), Some("5.jpg".parse().unwrap()));
        assert!(all.iter().all(|each| each.message.len() <= LAST_FAILURE_BYTES && each.message.ends_with('é')));
    }
}
