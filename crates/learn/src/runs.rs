//! Which samples arrive in which run of fine-tuning.
//!
//! NDPipe (ASPLOS 2024) fine-tunes in N runs, so that run k+1 is extracted while run k is trained on. Runs are equal
//! shares of a seeded permutation, so that each has all classes although catalogs are sorted by class.

use headwater_types::{Permutation, SampleIndex, Seed};

use crate::error::LearnError;
use crate::random::{Generator, Purpose};

/// The shares of a dataset: every sample is in exactly one, and their sizes differ by at most 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runs {
    permutation: Permutation,
    runs: u32,
}

// === impl Runs ===

impl Runs {
    /// Shares out `samples` samples. With more runs than samples, some runs are empty.
    pub fn new(samples: u64, runs: u32, seed: Seed) -> Result<Self, LearnError> {
        if runs == 0 {
            return Err(LearnError::Setting { setting: "runs", value: 0.0, expected: "at least 1" });
        }
        Ok(Self { permutation: Generator::permutation(Purpose::Runs, seed, 0, samples), runs })
    }

    /// Number of runs.
    pub fn count(&self) -> u32 {
        self.runs
    }

    /// The samples of this run, counted from 0, in a random order; none past the last run.
    pub fn samples(&self, run: u32) -> impl Iterator<Item = SampleIndex> + '_ {
        let run = run.min(self.runs);
        let end = if run == self.runs { self.start(run) } else { self.start(run + 1) };
        (self.start(run)..end).filter_map(|position| self.permutation.at(position)).map(SampleIndex)
    }

    /// The run that this sample belongs to; `None` for a sample that the dataset does not have.
    pub fn run_of(&self, sample: SampleIndex) -> Option<u32> {
        let position = u128::from(self.permutation.position_of(sample.0)?);
        // The last run that starts at or before `position`.
        let run = ((position + 1) * u128::from(self.runs)).div_ceil(u128::from(self.permutation.len())) - 1;
        u32::try_from(run).ok()
    }

    /// `floor(len * run / runs)`.
    fn start(&self, run: u32) -> u64 {
        (u128::from(self.permutation.len()) * u128::from(run) / u128::from(self.runs)) as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_sample_is_in_exactly_one_run(samples in 0_u64..500, runs in 1_u32..20, seed: u64) {
            let shares = Runs::new(samples, runs, Seed(seed)).unwrap();
            let mut seen = Vec::new();
            for run in 0..runs {
                let share: Vec<_> = shares.samples(run).collect();
                prop_assert!((share.len() as i64 - (samples / u64::from(runs)) as i64).abs() <= 1);
                for sample in share {
                    prop_assert_eq!(shares.run_of(sample), Some(run));
                    seen.push(sample.0);
                }
            }
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..samples).collect::<Vec<_>>());
            prop_assert_eq!(shares.samples(runs).count(), 0);
            prop_assert_eq!(shares.run_of(SampleIndex(samples)), None);
        }
    }

    #[test]
    fn no_runs_are_refused() {
        assert!(Runs::new(10, 0, Seed(1)).is_err());
    }
}
