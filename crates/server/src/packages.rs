//! Packages that wait to be read: samples of low importance, many at once, for jobs that give others in their places.
//!
//! ```text
//! Replaced ─▶ where a package may begin, and how many samples are due ─▶ ahead ─▶ Pipeline::prefetch_package ─▶ cache
//! ```
//!
//! Bounds: for [`REPLACED_PER_PACKAGED`] samples that are left out one is due, so that packages read less than they
//! save; at most [`MAX_PACKAGES_WAITING`] beginnings wait, of more the oldest are forgotten, and with them what is due.
//! Where the cache keeps nothing of a package, none is read for a while: it would only cost.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headwater_types::caps::{MAX_PACKAGES_WAITING, REPLACED_PER_PACKAGED};
use headwater_types::{JobName, SampleIndex};
use tokio::time::Instant;

/// The packages of one generation.
#[derive(Debug, Default)]
pub(crate) struct Packages(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// Samples that were left out, by the jobs that said so: the oldest first.
    begins: VecDeque<(JobName, SampleIndex)>,
    /// Samples that were left out and of which nothing was brought yet.
    replaced: u64,
    paused_until: Option<Instant>,
}

/// Where a package begins, of which job, and how many samples it may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Beginning {
    pub(crate) job: JobName,
    pub(crate) sample: SampleIndex,
    pub(crate) most: u64,
}

// === impl Packages ===

impl Packages {
    /// A job gives others in the places of these samples.
    pub(crate) fn replaced(&self, job: &JobName, samples: &[SampleIndex]) {
        let mut waiting = self.lock();
        waiting.begins.extend(samples.iter().map(|sample| (job.clone(), *sample)));
        let surplus = waiting.begins.len().saturating_sub(MAX_PACKAGES_WAITING);
        waiting.begins.drain(..surplus);
        waiting.replaced = waiting.replaced.saturating_add(samples.len() as u64).min(MAX_PACKAGES_WAITING as u64);
    }

    /// Where the next package begins, as long as samples are due.
    pub(crate) fn next(&self) -> Option<Beginning> {
        let mut waiting = self.lock();
        let most = waiting.replaced / REPLACED_PER_PACKAGED;
        if most == 0 || waiting.paused_until.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let (job, sample) = waiting.begins.pop_front()?;
        Some(Beginning { job, sample, most })
    }

    /// No package is read for so long, and nothing is due then.
    pub(crate) fn pause(&self, time: Duration) {
        *self.lock() = Waiting { paused_until: Some(Instant::now() + time), ..Waiting::default() };
    }

    /// So many samples are brought.
    pub(crate) fn brought(&self, samples: u64) {
        let mut waiting = self.lock();
        waiting.replaced = waiting.replaced.saturating_sub(samples.saturating_mul(REPLACED_PER_PACKAGED));
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_what_is_left_out_is_due_and_the_oldest_beginnings_are_forgotten() {
        let (packages, job) = (Packages::default(), "a".parse::<JobName>().unwrap());
        let samples: Vec<_> = (0..7).map(SampleIndex).collect();
        packages.replaced(&job, &samples[..1]);
        assert_eq!(packages.next(), None);
        packages.replaced(&job, &samples[1..]);
        let beginning = |sample, most| Some(Beginning { job: job.clone(), sample: SampleIndex(sample), most });
        assert_eq!(packages.next(), beginning(0, 3));
        packages.brought(2);
        assert_eq!(packages.next(), beginning(1, 1));
        packages.brought(1);
        assert_eq!(packages.next(), None);

        packages.replaced(&job, &samples);
        packages.pause(Duration::ZERO);
        packages.replaced(&job, &samples[..2]);
        assert_eq!(packages.next(), beginning(0, 1), "what was due before is not");
        packages.pause(Duration::from_secs(60));
        packages.replaced(&job, &samples);
        assert_eq!(packages.next(), None);
        packages.pause(Duration::ZERO);

        let many: Vec<_> = (100..100 + MAX_PACKAGES_WAITING as u64).map(SampleIndex).collect();
        packages.replaced(&job, &many);
        assert_eq!(packages.next(), beginning(100, MAX_PACKAGES_WAITING as u64 / 2));
    }
}
