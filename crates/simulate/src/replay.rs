//! A trace, read through the tiers.

use std::collections::BTreeMap;

use headwater_policy::{Facts, Moved, PolicyName, Tier, TierSizes, Tiers};

use crate::counts::{Counts, OfEpoch, OfJob, OfTier, Report};
use crate::outlook::{Announced, Outlook};
use crate::swaps::Swaps;
use crate::trace::{Access, Trace};

/// Accesses between two calls that say how far a replay is.
const STEP: u64 = 1 << 14;

/// A trace, and the cache that it is read through.
pub struct Replay<'a> {
    /// The accesses.
    pub trace: &'a Trace,
    /// When samples are needed next.
    pub outlook: &'a Outlook,
    /// Who decides.
    pub policy: PolicyName,
    /// The most bytes of each tier.
    pub sizes: TierSizes,
    /// Which part of each job's samples is of low importance, so that others may be given in their places; `None`:
    /// nothing is given in another's place.
    pub substitute: Option<f64>,
}

/// A replay that is going on.
struct Run<'a> {
    of: &'a Replay<'a>,
    tiers: Tiers<u32>,
    swaps: Option<Swaps<'a>>,
    announced: Announced,
    moved: Vec<Moved<u32>>,
    counts: Counts,
    epochs: BTreeMap<u32, Counts>,
    jobs: Vec<Counts>,
    rejected: u64,
    changed: u64,
    evicted: u64,
    demoted: u64,
    promoted: u64,
}

// === impl Replay ===

impl Replay<'_> {
    /// Reads the whole trace. `passed` hears now and then how many accesses more are done; `keys` asks for the keys
    /// that are left in each tier.
    pub fn run(&self, keys: bool, passed: &dyn Fn(u64)) -> Report {
        let mut run = Run::new(self);
        for (place, access) in self.trace.accesses.iter().enumerate() {
            run.read(place, access);
            if (place as u64 + 1).is_multiple_of(STEP) {
                passed(STEP);
            }
        }
        passed(self.trace.accesses() % STEP);
        run.report(keys)
    }
}

// === impl Run ===

impl<'a> Run<'a> {
    fn new(of: &'a Replay<'a>) -> Self {
        Self {
            of,
            tiers: Tiers::new(of.policy, of.sizes),
            swaps: of.substitute.map(|share| Swaps::new(of.trace, of.outlook, share)),
            announced: of.outlook.nothing(),
            moved: Vec::new(),
            counts: Counts::default(),
            epochs: BTreeMap::new(),
            jobs: vec![Counts::default(); of.trace.jobs.len()],
            rejected: 0,
            changed: 0,
            evicted: 0,
            demoted: 0,
            promoted: 0,
        }
    }

    fn read(&mut self, place: usize, access: &Access) {
        let next_use = self.look_ahead(place, access);
        let is_cached = |sample: u32| self.tiers.find(&sample).is_some();
        if let Some(other) = self.swaps.as_mut().and_then(|swaps| swaps.choose(place, is_cached)) {
            self.tiers.access(&other.sample, &mut self.moved);
            return self.count(access, |counts| counts.substitute(other.bytes));
        }
        let facts =
            Facts { cost: access.cost, importance: access.importance, next_use, ..Facts::of_bytes(access.bytes) };
        self.prepare(access, &facts);
        let found = self.tiers.access(&access.sample, &mut self.moved);
        if found.is_none() && self.tiers.admit(access.sample, facts, &mut self.moved).is_none() {
            self.rejected += 1;
        }
        self.swaps.iter_mut().for_each(|swaps| swaps.learn(access));
        self.count(access, |counts| counts.add(found, access.bytes));
    }

    fn count(&mut self, access: &Access, add: impl Fn(&mut Counts)) {
        for moved in self.moved.drain(..) {
            match moved {
                Moved::Evicted(..) => self.evicted += 1,
                Moved::Demoted(_) => self.demoted += 1,
                Moved::Promoted(_) => self.promoted += 1,
            }
        }
        add(&mut self.counts);
        add(self.epochs.entry(access.epoch).or_default());
        self.jobs.get_mut(access.job as usize).into_iter().for_each(add);
    }

    /// Says what has become known, and gives the next use of the sample that is read.
    fn look_ahead(&mut self, place: usize, access: &Access) -> Option<u64> {
        let Replay { trace, outlook, policy, .. } = *self.of;
        match policy {
            PolicyName::Belady => outlook.next_of_all(place),
            PolicyName::Planned => {
                self.tiers.advance(place as u64);
                for known in outlook.announce(&mut self.announced, place, access) {
                    self.announce(place as u64, known, trace.accesses[known as usize].sample);
                }
                outlook.next(&self.announced, place, &trace.accesses)
            }
            _ => None,
        }
    }

    /// A sample will be read there, and may be read sooner.
    fn announce(&mut self, now: u64, known: u32, sample: u32) {
        let Some(facts) = self.tiers.facts(&sample) else { return };
        if facts.next_use.is_none_or(|next| next < now || next > known.into()) {
            self.tiers.update(&sample, |facts| facts.next_use = Some(known.into()));
        }
    }

    /// What is known of a sample with this access, before the cache is asked for it.
    fn prepare(&mut self, access: &Access, facts: &Facts) {
        let Some(held) = self.tiers.facts(&access.sample) else { return };
        if held.memory_bytes != access.bytes {
            self.tiers.remove(&access.sample);
            self.changed += 1;
            self.evicted += 1;
            return;
        }
        if matches!(self.of.policy, PolicyName::Importance | PolicyName::Planned | PolicyName::Belady) {
            self.tiers.update(&access.sample, |held| *held = *facts);
        }
    }

    fn report(self, keys: bool) -> Report {
        let [memory, ssd] = Tier::BOTH.map(|tier| self.left(tier, keys));
        let trace = self.of.trace;
        Report {
            policy: self.of.policy,
            counts: self.counts,
            rejected: self.rejected,
            evicted: self.evicted,
            demoted: self.demoted,
            promoted: self.promoted,
            changed: self.changed,
            epochs: self.epochs.into_iter().map(|(epoch, counts)| OfEpoch { epoch, counts }).collect(),
            jobs: trace
                .jobs
                .iter()
                .zip(self.jobs)
                .map(|(job, counts)| OfJob { job: job.to_string(), counts })
                .collect(),
            memory,
            ssd,
        }
    }

    fn left(&self, tier: Tier, keys: bool) -> OfTier {
        let usage = self.tiers.usage(tier);
        let names = || {
            let mut keys: Vec<_> = self.tiers.keys(tier).copied().collect();
            keys.sort_unstable();
            keys.into_iter().map(|key| self.of.trace.samples[key as usize].to_string()).collect()
        };
        OfTier { limit: self.of.sizes.of(tier), bytes: usage.bytes, entries: usage.entries, keys: keys.then(names) }
    }
}
