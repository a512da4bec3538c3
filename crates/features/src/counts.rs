//! What a model has done since it was opened, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a model has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InferenceCounts {
    /// Samples answered with features.
    pub samples: u64,
    /// Runs of the model that succeeded.
    pub batches: u64,
    /// Samples answered with a failure.
    pub failed: u64,
    /// Samples whose callers had gone when their turn came.
    pub cancelled: u64,
    /// Samples whose features hold an infinity or NaN. They are failures, unless the caller takes such features.
    pub non_finite: u64,
    /// Samples of the runs that succeeded, those whose callers had gone by the end included.
    pub batched: u64,
    /// The runs that succeeded, by their size: of 1, of 2, of up to 4, up to 8 ... up to 1024 samples, and of more.
    pub batch_sizes: [u64; BATCH_SIZES],
}

/// The counters of all workers of a model.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) samples: AtomicU64,
    pub(crate) batches: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) cancelled: AtomicU64,
    pub(crate) non_finite: AtomicU64,
    /// Samples of the runs that succeeded.
    pub(crate) batched: AtomicU64,
    /// Runs by their size: of 1, 2, up to 4, up to 8 ... samples, and of more.
    pub(crate) batch_sizes: [AtomicU64; BATCH_SIZES],
}

/// Sizes of runs that are counted apart: up to 1024 samples, and more.
pub(crate) const BATCH_SIZES: usize = 12;

// === impl Counters ===

impl Counters {
    /// Counts a run that succeeded, of so many samples.
    pub(crate) fn run(&self, samples: usize) {
        add(&self.batches, 1);
        add(&self.batched, samples as u64);
        add(&self.batch_sizes[size_class(samples)], 1);
    }

    /// The counts so far.
    pub(crate) fn read(&self) -> InferenceCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Self { samples, batches, failed, cancelled, non_finite, batched, batch_sizes } = self;
        InferenceCounts {
            samples: read(samples),
            batches: read(batches),
            failed: read(failed),
            cancelled: read(cancelled),
            non_finite: read(non_finite),
            batched: read(batched),
            batch_sizes: batch_sizes.each_ref().map(read),
        }
    }
}

/// The place of a run of so many samples among [`Counters::batch_sizes`].
fn size_class(samples: usize) -> usize {
    (samples.next_power_of_two().trailing_zeros() as usize).min(BATCH_SIZES - 1)
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_counted_among_those_of_at_most_its_power_of_two() {
        let classes = [1, 2, 3, 4, 5, 8, 9, 1024, 1025, 1 << 20].map(size_class);
        assert_eq!(classes, [0, 1, 2, 2, 3, 3, 4, 10, 11, 11]);
    }
}
