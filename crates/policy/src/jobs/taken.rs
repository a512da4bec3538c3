//! Which samples a job has taken in its epoch: a bit for each.

use std::sync::atomic::{AtomicU64, Ordering};

/// Bits, which are set beside those who look at them.
#[derive(Debug)]
pub(crate) struct Taken(Box<[AtomicU64]>);

// === impl Taken ===

impl Taken {
    /// None of so many samples.
    pub(crate) fn none(samples: u64) -> Self {
        Self((0..samples.div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    /// Notes that a sample was taken: whether it was not before.
    pub(crate) fn take(&self, sample: u64) -> bool {
        let Some((word, bit)) = self.find(sample) else { return false };
        word.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    pub(crate) fn has(&self, sample: u64) -> bool {
        self.find(sample).is_some_and(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0)
    }

    fn find(&self, sample: u64) -> Option<(&AtomicU64, u64)> {
        Some((self.0.get(usize::try_from(sample / 64).ok()?)?, 1 << (sample % 64)))
    }
}
