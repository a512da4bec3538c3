//! The losses that one job has reported: the latest of each sample, 4 bytes each.

use headwater_types::Differences;

/// The latest losses of a job.
#[derive(Clone, Debug)]
pub struct Losses {
    /// NaN where none is known.
    latest: Box<[f32]>,
    known: u64,
    sum: f64,
}

// === impl Losses ===

impl Losses {
    /// No losses yet, of so many samples.
    pub fn none(samples: u64) -> Self {
        Self { latest: (0..samples).map(|_| f32::NAN).collect(), known: 0, sum: 0.0 }
    }

    /// Keeps a finite loss in place of an earlier one; `false` for a sample that there is not.
    pub fn keep(&mut self, sample: u64, loss: f32) -> bool {
        let place = usize::try_from(sample).ok().and_then(|sample| self.latest.get_mut(sample));
        let Some(place) = place else { return false };
        match place.is_nan() {
            true => self.known += 1,
            false => self.sum -= f64::from(*place),
        }
        self.sum += f64::from(loss);
        *place = loss;
        true
    }

    /// How many samples there are.
    pub(crate) fn len(&self) -> u64 {
        self.latest.len() as u64
    }

    /// Every loss that is known, with its sample.
    pub(crate) fn all(&self) -> impl Iterator<Item = (f32, u64)> {
        self.latest.iter().copied().zip(0..).filter(|(loss, _)| !loss.is_nan())
    }

    /// How many samples have one.
    pub fn known(&self) -> u64 {
        self.known
    }

    /// The sum of all.
    pub(crate) fn sum(&self) -> f64 {
        self.sum
    }

    /// The latest loss of a sample.
    pub(crate) fn get(&self, sample: u64) -> Option<f32> {
        self.latest.get(usize::try_from(sample).ok()?).copied().filter(|loss| !loss.is_nan())
    }

    /// The loss as a multiple of the job's mean loss, so that jobs can be compared. Losses of a mean of 0 or less say
    /// nothing, and a loss below 0 counts as 0.
    pub(crate) fn relative(&self, sample: u64) -> Option<f32> {
        let mean = self.sum / self.known as f64;
        let loss = self.get(sample)?;
        (mean > 0.0).then(|| (f64::from(loss) / mean).max(0.0) as f32)
    }

    /// Takes over the losses of the generation before, as far as none is known here.
    pub(crate) fn carry(&mut self, before: &Self, differences: &Differences) {
        let mapping = differences.mapping();
        for (index, &loss) in (0..).zip(&before.latest) {
            if !loss.is_nan()
                && let Some(here) = mapping.get(index)
                && self.get(here).is_none()
            {
                self.keep(here, loss);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_loss_of_each_sample_is_kept_and_no_other() {
        let mut losses = Losses::none(3);
        assert_eq!(losses.relative(0), None);
        assert!(losses.keep(0, 1.0) && losses.keep(0, 3.0) && losses.keep(2, 5.0));
        assert!(!losses.keep(3, 7.0));
        assert_eq!((losses.known, losses.sum), (2, 8.0));
        assert_eq!([0, 1, 2].map(|sample| losses.relative(sample)), [Some(0.75), None, Some(1.25)]);

        // Sample 0 is gone, and one came behind sample 2; a report that came meanwhile stays.
        let mut next = Losses::none(3);
        assert!(next.keep(0, 9.0));
        let one = |range| std::iter::once(range).collect();
        let differences = Differences { removed: one(0..1), added: one(2..3), replaced: Vec::new() };
        next.carry(&losses, &differences);
        assert_eq!([0, 1, 2].map(|sample| next.get(sample)), [Some(9.0), Some(5.0), None]);
    }

    #[test]
    fn losses_below_zero_say_the_least() {
        let mut losses = Losses::none(2);
        assert!(losses.keep(0, -1.0));
        assert_eq!(losses.relative(0), None, "a mean below 0 has no multiples");
        assert!(losses.keep(1, 5.0));
        assert_eq!([0, 1].map(|sample| losses.relative(sample)), [Some(0.0), Some(2.5)]);
    }
}
