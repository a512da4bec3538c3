//! Substitution in a replay: of a share of each job's samples, those of the lowest losses, another one that is cached
//! is given in the place of one that is not, by the rules that trainers follow ([`Substitution`]).
//!
//! A job learns a sample's loss when it reads it, and which samples are of low importance when an epoch begins. A
//! sample that an epoch reads several times is of none. Packages are no part of it, for a trace does not say which
//! samples lie side by side.

use headwater_policy::jobs::{Losses, Low};
use headwater_policy::substitute::Substitution;

use crate::outlook::Outlook;
use crate::trace::{Access, Trace};

/// What each job knows of its samples, and what it has chosen in its epoch.
pub(crate) struct Swaps<'a> {
    trace: &'a Trace,
    outlook: &'a Outlook,
    share: f64,
    jobs: Vec<OfJob>,
}

struct OfJob {
    losses: Losses,
    /// How many epochs it has begun.
    begun: usize,
    epoch: Substitution,
    /// Where in its epoch the job is.
    place: u32,
}

// === impl Swaps ===

impl<'a> Swaps<'a> {
    pub(crate) fn new(trace: &'a Trace, outlook: &'a Outlook, share: f64) -> Self {
        let job =
            || OfJob { losses: Losses::none(trace.samples()), begun: 0, epoch: Substitution::new(&[], &[]), place: 0 };
        Self { trace, outlook, share, jobs: (0..trace.jobs()).map(|_| job()).collect() }
    }

    /// The access whose sample is given in the place of this one's; `None` where its own is.
    pub(crate) fn choose(&mut self, place: usize, is_cached: impl Fn(u32) -> bool) -> Option<Access> {
        let access = self.trace.accesses.get(place)?;
        let begun = self.outlook.epoch_of(place) + 1;
        let accesses = self.outlook.accesses(access.job, begun - 1);
        let job = self.jobs.get_mut(access.job as usize)?;
        if job.begun < begun {
            job.begun = begun;
            job.place = 0;
            job.epoch = Substitution::new(&low(self.trace, &Low::of(&job.losses, self.share), accesses), &[]);
        }
        let here = job.place;
        job.place += 1;
        let of = |place: u32| self.trace.accesses[accesses[place as usize] as usize];
        job.epoch.choose(here, |place| is_cached(of(place).sample)).map(of)
    }

    /// A job has read a sample, and knows its loss.
    pub(crate) fn learn(&mut self, access: &Access) {
        if let Some(job) = self.jobs.get_mut(access.job as usize) {
            job.losses.keep(access.sample.into(), access.importance);
        }
    }
}

/// Which accesses of an epoch are of samples of low importance that come once.
fn low(trace: &Trace, low: &Low, accesses: &[u32]) -> Vec<bool> {
    let sample = |access: &u32| trace.accesses[*access as usize].sample;
    let mut samples: Vec<_> = accesses.iter().map(sample).collect();
    samples.sort_unstable();
    let comes_once = |sample: u32| {
        let first = samples.partition_point(|other| *other < sample);
        samples.get(first + 1) != Some(&sample)
    };
    accesses.iter().map(sample).map(|sample| low.has(sample.into()) && comes_once(sample)).collect()
}
