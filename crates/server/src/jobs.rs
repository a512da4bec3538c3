//! The training jobs that read a generation: what they say comes next, and how much samples matter to them.
//!
//! What is said is kept in memory only: after a restart the jobs' next announcements and reports fill it in again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use headwater_pipeline::Outlook;
use headwater_policy::jobs::{self, Announced, Announcer, Looked, Low, Progress, Statement};
use headwater_types::{Address, Differences, JobName, SampleIndex};

/// The jobs of one generation.
#[derive(Debug)]
pub(crate) struct Jobs {
    said: RwLock<jobs::Jobs>,
    counts: Counts,
}

/// What came of what was said. They only grow, from one generation to the next.
#[derive(Debug, Default)]
struct Counts {
    losses: AtomicU64,
    /// In step with [`OUTCOMES`].
    announcements: [AtomicU64; OUTCOMES.len()],
    lapsed: AtomicU64,
}

/// What may come of an announcement, and its name in metrics.
pub(crate) const OUTCOMES: [(Announced, &str); 3] =
    [(Announced::Counts, "counts"), (Announced::Unheard, "unheard"), (Announced::Full, "full")];

/// The moment that times are counted from, the same for all datasets: their accesses are compared with each other.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

// === impl Jobs ===

impl Jobs {
    /// No jobs yet, of a catalog of so many samples.
    pub(crate) fn new(samples: usize) -> Self {
        Self { said: RwLock::new(jobs::Jobs::new(samples as u64)), counts: Counts::default() }
    }

    /// Takes what a rank announces.
    pub(crate) fn announce(&self, who: &Announcer, statement: Statement) -> Announced {
        self.expire();
        let unknown = statement == Statement::Unknown && !self.read().is_unknown(&who.job);
        let outcome = self.write().announce(who, statement, now());
        if unknown && outcome == Announced::Counts {
            let job = &who.job;
            tracing::info!(%job, "the order of this job cannot be computed: what it used last is kept for it");
        }
        let place = OUTCOMES.iter().position(|(each, _)| *each == outcome);
        place.and_then(|place| self.counts.announcements.get(place)).into_iter().for_each(|count| add(count, 1));
        outcome
    }

    /// Keeps losses of a job, or of none: how many were kept.
    pub(crate) fn report(&self, job: Option<&JobName>, lease: Duration, losses: &[(u64, f32)]) -> u64 {
        let kept = self.write().report(job, lease, now(), losses) as u64;
        add(&self.counts.losses, kept);
        kept
    }

    /// Finds which samples are of low importance to a job: this share of those of which it has reported a loss. How
    /// many those are. Takes some hundredths of a second for a million.
    pub(crate) fn classify(&self, job: &JobName, share: f64) -> Option<(u64, Low)> {
        let losses = self.read().reported(job)?;
        let low = Low::of(&losses, share);
        self.write().classify(job, low.clone());
        Some((losses.known(), low))
    }

    /// Whether a sample is of low importance to a job.
    pub(crate) fn is_low(&self, job: &JobName, sample: SampleIndex) -> bool {
        self.read().is_low(job, sample.0)
    }

    /// Drops jobs whose lease has run out.
    pub(crate) fn expire(&self) {
        for job in self.write().expire(now()) {
            add(&self.counts.lapsed, 1);
            tracing::info!(%job, "this job has said nothing for its lease: what it said counts no more");
        }
    }

    /// Notes that a job takes samples, each in the epoch of its address.
    pub(crate) fn took(&self, job: &JobName, samples: impl Iterator<Item = (Address, SampleIndex)>) {
        let said = self.read();
        samples.for_each(|(address, sample)| said.took(job, address, sample.0));
    }

    /// Takes over what is known of the generation before, as far as it holds for this one.
    pub(crate) fn carry(&self, before: &Self, differences: &Differences) {
        self.write().carry(&before.read(), differences);
        self.counts.carry(&before.counts);
    }

    /// Changes whenever what was kept of next accesses should be asked for anew.
    pub(crate) fn revision(&self) -> u64 {
        self.read().revision()
    }

    /// The jobs whose order is known.
    pub(crate) fn known(&self) -> Vec<JobName> {
        self.read().known()
    }

    /// What a job needs next: see [`jobs::Jobs::coming`].
    pub(crate) fn coming(&self, job: &JobName, looked: &mut Looked, most: u64, within: u64) -> Vec<SampleIndex> {
        self.read().coming(job, looked, most, within).into_iter().map(SampleIndex).collect()
    }

    /// The earliest moment for which any job may still say an access, in microseconds of this process.
    pub(crate) fn due(&self) -> Option<u64> {
        self.read().due()
    }

    /// How many jobs count, and how many of them are in an epoch of a known order, and of an unknown one.
    pub(crate) fn count(&self) -> (usize, usize, usize) {
        self.read().count()
    }

    /// How far each job is, by name.
    pub(crate) fn progress(&self) -> Vec<Progress> {
        self.expire();
        self.read().progress().collect()
    }

    /// Samples with a loss, and the mean of all losses.
    pub(crate) fn losses(&self) -> (u64, f64) {
        self.read().losses()
    }

    /// Losses that were kept, later ones of the same sample included.
    pub(crate) fn reports(&self) -> u64 {
        self.counts.losses.load(Ordering::Relaxed)
    }

    /// Announcements, by what came of them, in step with [`OUTCOMES`].
    pub(crate) fn announcements(&self) -> [u64; OUTCOMES.len()] {
        self.counts.announcements.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// Jobs that ended without saying so.
    pub(crate) fn lapsed(&self) -> u64 {
        self.counts.lapsed.load(Ordering::Relaxed)
    }

    fn read(&self) -> RwLockReadGuard<'_, jobs::Jobs> {
        self.said.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, jobs::Jobs> {
        self.said.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlook for Jobs {
    /// In microseconds of this process.
    fn next_use(&self, index: SampleIndex) -> Option<u64> {
        self.read().next_use(index.0)
    }

    /// See [`jobs::Jobs::importance`].
    fn importance(&self, index: SampleIndex) -> f32 {
        self.read().importance(index.0)
    }
}

// === impl Counts ===

impl Counts {
    fn carry(&self, before: &Self) {
        for (count, earlier) in self.all().into_iter().zip(before.all()) {
            add(count, earlier.load(Ordering::Relaxed));
        }
    }

    fn all(&self) -> [&AtomicU64; 5] {
        let Self { losses, announcements: [counted, unheard, full], lapsed } = self;
        [losses, counted, unheard, full, lapsed]
    }
}

fn add(count: &AtomicU64, more: u64) {
    count.fetch_add(more, Ordering::Relaxed);
}

fn now() -> Duration {
    BEGAN.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_and_counts_go_on_in_the_next_generation() {
        let jobs = Jobs::new(3);
        assert_eq!(jobs.report(None, Duration::ZERO, &[(0, 1.0), (0, 3.0), (2, 5.0), (3, 7.0)]), 3);
        assert_eq!((jobs.losses(), jobs.reports()), ((2, 4.0), 3));

        // Sample 0 is gone, and one came behind sample 2; a report that came meanwhile stays.
        let next = Jobs::new(3);
        assert_eq!(next.report(None, Duration::ZERO, &[(0, 9.0)]), 1);
        let one = |range| std::iter::once(range).collect();
        let differences = Differences { removed: one(0..1), added: one(2..3), replaced: Vec::new() };
        next.carry(&jobs, &differences);
        assert_eq!((next.losses(), next.reports()), ((2, 7.0), 4));
    }

    #[test]
    fn a_job_that_says_nothing_for_its_lease_is_counted_as_lapsed() {
        let jobs = Jobs::new(3);
        let who = Announcer { job: "a".parse().unwrap(), rank: 0, lease: Duration::ZERO };
        assert_eq!(jobs.announce(&who, Statement::Unknown), Announced::Counts);
        assert_eq!(jobs.announce(&who, Statement::Reached(Address::new(0, 0), 1)), Announced::Unheard);
        jobs.expire();
        assert_eq!((jobs.lapsed(), jobs.announcements(), jobs.count()), (1, [1, 1, 0], (0, 0, 0)));
    }
}
