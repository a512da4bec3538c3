//! How much samples matter to a training job: the latest loss that was reported for each.
//!
//! Losses take 4 bytes for each sample of the catalog, from the first report on. They are kept in memory only: after a
//! restart the trainer's next reports fill them in again.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use headwater_types::{Differences, SampleIndex};

/// Losses by sample.
#[derive(Debug)]
pub(crate) struct Importance {
    samples: usize,
    /// Bits of the losses.
    losses: OnceLock<Box<[AtomicU32]>>,
    known: AtomicU64,
    reports: AtomicU64,
}

/// The bits of a sample without a loss: reported losses are finite.
const NONE: u32 = f32::NAN.to_bits();

// === impl Importance ===

impl Importance {
    /// No losses yet, of a catalog of so many samples.
    pub(crate) fn new(samples: usize) -> Self {
        Self { samples, losses: OnceLock::new(), known: AtomicU64::new(0), reports: AtomicU64::new(0) }
    }

    /// Keeps a loss in place of an earlier one; `false` for a sample that is not in the catalog.
    pub(crate) fn keep(&self, index: SampleIndex, loss: f32) -> bool {
        let losses = self.losses();
        let Some(place) = usize::try_from(index.0).ok().and_then(|index| losses.get(index)) else { return false };
        if place.swap(loss.to_bits(), Ordering::Relaxed) == NONE {
            self.known.fetch_add(1, Ordering::Relaxed);
        }
        self.reports.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Takes over the losses of the generation before, as far as none is known here.
    pub(crate) fn carry(&self, before: &Self, differences: &Differences) {
        let Some(earlier) = before.losses.get() else { return };
        let mapping = differences.mapping();
        let losses = self.losses();
        for (index, loss) in (0..).zip(earlier) {
            let bits = loss.load(Ordering::Relaxed);
            let place = mapping.get(index).and_then(|index| losses.get(usize::try_from(index).ok()?));
            if let Some(place) = place
                && bits != NONE
                && place.compare_exchange(NONE, bits, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            {
                self.known.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.reports.fetch_add(before.reports(), Ordering::Relaxed);
    }

    fn losses(&self) -> &[AtomicU32] {
        self.losses.get_or_init(|| (0..self.samples).map(|_| AtomicU32::new(NONE)).collect())
    }

    /// Samples with a loss.
    pub(crate) fn known(&self) -> u64 {
        self.known.load(Ordering::Relaxed)
    }

    /// Losses that were kept, later ones of the same sample included.
    pub(crate) fn reports(&self) -> u64 {
        self.reports.load(Ordering::Relaxed)
    }

    /// The mean of the losses; 0 where there is none.
    pub(crate) fn mean(&self) -> f64 {
        let bits = self.losses.get().into_iter().flatten().map(|loss| loss.load(Ordering::Relaxed));
        let (sum, count) = bits
            .filter(|&bits| bits != NONE)
            .fold((0.0, 0_u64), |(sum, count), bits| (sum + f64::from(f32::from_bits(bits)), count + 1));
        if count == 0 { 0.0 } else { sum / count as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_loss_of_each_sample_is_kept_and_no_other() {
        let importance = Importance::new(3);
        assert_eq!((importance.known(), importance.reports(), importance.mean()), (0, 0, 0.0));
        assert!(importance.keep(SampleIndex(0), 1.0));
        assert!(importance.keep(SampleIndex(0), 3.0));
        assert!(importance.keep(SampleIndex(2), 5.0));
        assert!(!importance.keep(SampleIndex(3), 7.0));
        assert_eq!((importance.known(), importance.reports(), importance.mean()), (2, 3, 4.0));

        // Sample 0 is gone, and one came behind sample 2; a report that came meanwhile stays.
        let next = Importance::new(3);
        assert!(next.keep(SampleIndex(0), 9.0));
        let one = |range| std::iter::once(range).collect();
        let differences = Differences { removed: one(0..1), added: one(2..3), replaced: Vec::new() };
        next.carry(&importance, &differences);
        assert_eq!((next.known(), next.reports(), next.mean()), (2, 4, 7.0));
    }
}
