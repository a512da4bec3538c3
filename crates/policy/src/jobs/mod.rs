//! What training jobs say of their accesses to come, and of how much samples matter to them.
//!
//! ```text
//! announce (order, position) ─▶ Job ─▶ Underway: order, taken, pace ─▶ next use: the earliest of all jobs
//! report (losses)            ─▶ Job ─▶ Losses                       ─▶ importance: the largest of all jobs
//! classify (share)           ─▶ Job ─▶ Low: the lowest losses       ─▶ what others may be given in the place of
//! ```
//!
//! A job is known by its name, and each of its ranks has a lease. A job that ends, or whose leases have run out, stops
//! counting, and takes nothing with it but its own statements. Time is an argument: how long it is since the server
//! began.
//!
//! Memory is bounded: [`MAX_JOBS`] jobs, for each a bit for each sample, 4 bytes for each sample where it reports
//! losses, another bit where it has asked which are of low importance, and 8 for each sample of a choice. An order
//! itself takes some 200 bytes.

mod choice;
mod order;
mod pace;
mod statement;
mod taken;

mod losses;
mod low;
mod underway;

mod job;

mod progress;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use headwater_types::caps::{MAX_ANNOUNCED_RANKS, MAX_JOBS, MAX_LEASE};
use headwater_types::{Address, Differences, JobName};

pub use choice::{Choice, ChoiceError};
pub use losses::Losses;
pub use low::Low;
pub use order::{EpochOrder, OrderSettings};
pub use progress::{Progress, Reached};
pub use statement::{Announced, Announcer, Statement};

use job::Job;
use underway::Underway;

/// What all jobs say of one generation of a dataset, as far as one server has it.
#[derive(Debug)]
pub struct Jobs {
    samples: u64,
    jobs: BTreeMap<JobName, Job>,
    /// What reports say that name no job: it counts for ever.
    unnamed: Option<Losses>,
    revision: u64,
}

/// Samples that come next for a job, as far as was looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    address: Option<Address>,
    position: u64,
}

// === impl Jobs ===

impl Jobs {
    /// No jobs yet, of a part of so many samples.
    pub fn new(samples: u64) -> Self {
        Self { samples, jobs: BTreeMap::new(), unnamed: None, revision: 0 }
    }

    /// Takes what a rank announces.
    pub fn announce(&mut self, who: &Announcer, statement: Statement, now: Duration) -> Announced {
        let until = who.until(now);
        self.expire(now);
        match statement {
            Statement::Begins(order, position) => self.begin(who, Some((*order, position)), until, now),
            Statement::Unknown => self.begin_unknown(who, until, now),
            Statement::Reached(address, position) => self.reach(who, (address, position), until, now),
            Statement::Ends => {
                self.end(who, now);
                Announced::Counts
            }
        }
    }

    fn begin(
        &mut self,
        who: &Announcer,
        begun: Option<(EpochOrder, u64)>,
        until: Duration,
        now: Duration,
    ) -> Announced {
        let Some(job) = self.job(&who.job) else { return Announced::Full };
        if job.ranks() >= MAX_ANNOUNCED_RANKS {
            return Announced::Full;
        }
        job.begin(who.rank, begun, until, now);
        self.revision += 1;
        Announced::Counts
    }

    fn begin_unknown(&mut self, who: &Announcer, until: Duration, now: Duration) -> Announced {
        let known = self.jobs.get_mut(&who.job);
        if known.is_some_and(|job| job.prolong(who.rank, until)) {
            return Announced::Counts;
        }
        self.begin(who, None, until, now)
    }

    fn reach(&mut self, who: &Announcer, at: (Address, u64), until: Duration, now: Duration) -> Announced {
        let job = self.jobs.get_mut(&who.job);
        match job.and_then(|job| job.advance(who.rank, at, until, now)) {
            None => Announced::Unheard,
            Some(anew) => {
                self.revision += u64::from(anew);
                Announced::Counts
            }
        }
    }

    fn end(&mut self, who: &Announcer, now: Duration) {
        if let Entry::Occupied(mut job) = self.jobs.entry(who.job.clone()) {
            self.revision += u64::from(job.get_mut().end(who.rank, now));
            if !job.get().lives(now) {
                job.remove();
            }
        }
    }

    /// The job of this name, which there may be from now on; `None` where there are as many as are kept.
    fn job(&mut self, name: &JobName) -> Option<&mut Job> {
        let full = self.jobs.len() >= MAX_JOBS;
        match self.jobs.entry(name.clone()) {
            Entry::Vacant(_) if full => None,
            entry => Some(entry.or_default()),
        }
    }

    /// Drops what no longer counts: the names of jobs that are gone.
    pub fn expire(&mut self, now: Duration) -> Vec<JobName> {
        let mut gone = Vec::new();
        let mut changed = false;
        self.jobs.retain(|name, job| {
            changed |= job.expire(now);
            let lives = job.lives(now);
            gone.extend((!lives).then(|| name.clone()));
            lives
        });
        self.revision += u64::from(changed || !gone.is_empty());
        gone
    }

    /// Keeps finite losses of a job for so long; of no job, for ever. How many were kept: not those of samples that
    /// there are not, and none where there are as many jobs as are kept.
    pub fn report(&mut self, job: Option<&JobName>, lease: Duration, now: Duration, losses: &[(u64, f32)]) -> usize {
        let until = now.saturating_add(lease.min(MAX_LEASE));
        let Some(known) = self.losses_of(job, until) else { return 0 };
        losses.iter().filter(|(sample, loss)| known.keep(*sample, *loss)).count()
    }

    fn losses_of(&mut self, job: Option<&JobName>, until: Duration) -> Option<&mut Losses> {
        let samples = self.samples;
        let Some(name) = job else { return Some(self.unnamed.get_or_insert_with(|| Losses::none(samples))) };
        let job = self.job(name)?;
        job.reported_until = job.reported_until.max(until);
        Some(job.losses.get_or_insert_with(|| Losses::none(samples)))
    }

    fn all_losses(&self) -> impl Iterator<Item = &Losses> {
        self.jobs.values().filter_map(|job| job.losses.as_ref()).chain(&self.unnamed)
    }

    /// A copy of the losses that a job has reported, to be classified without holding up others.
    pub fn reported(&self, job: &JobName) -> Option<Losses> {
        self.jobs.get(job)?.losses.clone()
    }

    /// Keeps which samples are of low importance to a job: from here on they are not read ahead one by one.
    pub fn classify(&mut self, job: &JobName, low: Low) {
        if let Some(job) = self.jobs.get_mut(job) {
            job.low = Some(low);
        }
    }

    /// Whether a sample is of low importance to a job, as it was classified last.
    pub fn is_low(&self, job: &JobName, sample: u64) -> bool {
        self.jobs.get(job).and_then(|job| job.low.as_ref()).is_some_and(|low| low.has(sample))
    }

    /// Notes that a job has taken a sample in its epoch of this address. A bit, set beside those who read.
    pub fn took(&self, job: &JobName, address: Address, sample: u64) {
        let epoch = self.jobs.get(job).and_then(|job| job.epoch.as_ref());
        if let Some(epoch) = epoch.filter(|epoch| epoch.address() == address) {
            epoch.take(sample);
        }
    }

    /// When a sample is needed next, in microseconds since the server began: the earliest of all jobs' next accesses.
    /// `None` where no job says it.
    ///
    /// Of a job that is alone, accesses after its epoch are left out: each sample crosses the epoch's end once, so that
    /// when it comes after that says nothing of its worth, and where sizes differ it would mislead (measured by replay:
    /// .31 of the cost saved, against .40). With several jobs it says much.
    pub fn next_use(&self, sample: u64) -> Option<u64> {
        let beyond = self.looks_beyond();
        let next = |epoch: &Underway| epoch.use_now(sample).or_else(|| epoch.use_later(sample).filter(|_| beyond));
        self.epochs().filter_map(next).min()
    }

    fn epochs(&self) -> impl Iterator<Item = &Underway> {
        self.jobs.values().filter_map(|job| job.epoch.as_ref())
    }

    /// Whether accesses after the end of an epoch count.
    fn looks_beyond(&self) -> bool {
        self.epochs().nth(1).is_some()
    }

    /// The earliest moment for which any job may still say an access: what was said for before it has passed.
    pub fn due(&self) -> Option<u64> {
        self.epochs().map(Underway::due).min()
    }

    /// How much a sample matters: the largest of its losses, each as a multiple of its job's mean; 1 where nobody says
    /// it.
    pub fn importance(&self, sample: u64) -> f32 {
        let each = self.all_losses().filter_map(|losses| losses.relative(sample));
        each.reduce(f32::max).unwrap_or(1.0)
    }

    /// Changes whenever what was kept of next accesses should be asked for anew.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How many jobs count, and how many of them are in an epoch of a known order, and of an unknown one.
    pub fn count(&self) -> (usize, usize, usize) {
        let of = |which: fn(&Job) -> bool| self.jobs.values().filter(|job| which(job)).count();
        (self.jobs.len(), of(|job| job.epoch.is_some()), of(|job| job.is_unknown))
    }

    /// How far each job is, by name.
    pub fn progress(&self) -> impl Iterator<Item = Progress> {
        self.jobs.iter().map(|(name, job)| Progress::of(name, job))
    }

    /// Whether this job has said that nobody can compute its order.
    pub fn is_unknown(&self, job: &JobName) -> bool {
        self.jobs.get(job).is_some_and(|job| job.is_unknown)
    }

    /// The jobs whose order is known.
    pub fn known(&self) -> Vec<JobName> {
        let known = self.jobs.iter().filter(|(_, job)| job.epoch.is_some());
        known.map(|(name, _)| name.clone()).collect()
    }

    /// What a job needs next that it has not taken, in order: of the samples behind those that were looked at before,
    /// at most about so many, and none that is further ahead of the job than `within` of this server's samples. Those
    /// of low importance are left out: others may be given in their place.
    pub fn coming(&self, job: &JobName, looked: &mut Looked, most: u64, within: u64) -> Vec<u64> {
        let epoch = self.jobs.get(job).and_then(|job| job.epoch.as_ref());
        let Some(epoch) = epoch else { return Vec::new() };
        let (most, within) = (epoch.positions_of(most), epoch.positions_of(within));
        let begin = match looked.address == Some(epoch.address()) {
            true => looked.position.max(epoch.position()),
            false => epoch.position(),
        };
        let end = begin
            .saturating_add(most)
            .min(epoch.position().saturating_add(within))
            .min(epoch.horizon(self.looks_beyond()));
        *looked = Looked { address: Some(epoch.address()), position: end.max(begin) };
        let mut coming = epoch.coming(begin..end);
        coming.retain(|sample| !self.is_low(job, *sample));
        coming
    }

    /// Samples of which a loss is known, and the mean of all jobs' losses; 0 where there is none.
    pub fn losses(&self) -> (u64, f64) {
        let is_known = |sample: &u64| self.all_losses().any(|losses| losses.get(*sample).is_some());
        let known = (0..self.samples).filter(is_known).count();
        let (sum, count) =
            self.all_losses().fold((0.0, 0), |(sum, count), losses| (sum + losses.sum(), count + losses.known()));
        (known as u64, if count == 0 { 0.0 } else { sum / count as f64 })
    }

    /// Takes over the losses of the generation before, as far as none is known here. Orders are announced anew.
    pub fn carry(&mut self, before: &Self, differences: &Differences) {
        let named = before.jobs.iter().map(|(name, job)| (Some(name), job.reported_until, &job.losses));
        for (name, until, losses) in named.chain([(None, Duration::ZERO, &before.unnamed)]) {
            if let Some(losses) = losses
                && let Some(here) = self.losses_of(name, until)
            {
                here.carry(losses, differences);
            }
        }
    }
}

#[cfg(test)]
mod tests;
