//! A plan that follows what is seen: watches the epoch, plans what is left anew where it leaves the prediction.
//!
//! Only how samples travel changes. Which there are, and their tensors, are the recipe's, the seed's and the epoch's.

use std::sync::Arc;
use std::time::Duration;

use headwater_client::LivePlan;
use headwater_plan::{
    Algorithm, Cost, Plan, Prediction, Profile, ProfileBuilder, Resources, SampleFacts, Server, plan,
};
use headwater_types::{BitsPerSecond, CpuSeconds, SampleIndex, Way};

use crate::error::PilotError;
use crate::watch::{Belief, Reading, Seen, Watch, WatchOptions, Work};

/// How an epoch is piloted.
#[derive(Clone, Debug, Default)]
pub struct AutopilotOptions {
    /// The ways that may be taken; all of the profile's where it is empty.
    pub allowed: Vec<Way>,
    /// Who decides.
    pub algorithm: Algorithm,
    /// When to plan anew.
    pub watch: WatchOptions,
    /// Whether samples come again and again, in whichever order: then none of them is ever past planning.
    pub repeats: bool,
}

/// Pilots epochs, one after the other.
#[derive(Debug)]
pub struct Autopilot {
    profile: Arc<Profile>,
    options: AutopilotOptions,
    believed: Believed,
    /// Whether that was ever news.
    learnt: bool,
    prediction: Option<Prediction>,
    choices: Vec<Way>,
    /// How many times each sample is still to come.
    left: Vec<u32>,
    watch: Watch,
    reading: Reading,
    live: LivePlan,
}

/// What is seen at a look: sums since the beginning.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// How long ago that is.
    pub at: Duration,
    /// Bytes received.
    pub received: u64,
    /// The part of the time in which bytes that somebody waited for were underway.
    pub arriving: Duration,
    /// Time by which timers fired late: in that nobody could take what had come.
    pub late: Duration,
}

/// What running epochs have taught.
#[derive(Clone, Debug, PartialEq)]
pub struct Learnt {
    /// What arrives at most; `None`: more than matters.
    pub bandwidth: Option<BitsPerSecond>,
    /// For each server the factor by which the profile's CPU seconds are off.
    pub storage: Vec<f64>,
    /// The same for finishing.
    pub trainer: f64,
}

/// Resources and costs, as they are believed to be.
#[derive(Clone, Debug)]
struct Believed {
    resources: Resources,
    /// By how much the profile's CPU seconds are off: for each server, and for finishing.
    storage_scale: Vec<f64>,
    trainer_scale: f64,
}

/// What is left of an epoch, to be planned: that may take a second, and belongs on a thread that may.
#[derive(Debug)]
pub struct Replanning {
    profile: Arc<Profile>,
    options: AutopilotOptions,
    believed: Believed,
    /// In order; a sample that is to come twice is there twice.
    left: Vec<usize>,
    seen: Seen,
}

/// What is left of an epoch, planned anew.
#[derive(Clone, Debug)]
pub struct Replanned {
    /// What was seen that was not predicted.
    pub seen: Seen,
    believed: Believed,
    /// What is promised for the samples that are left.
    pub prediction: Prediction,
    /// How many those are.
    pub left: usize,
    /// Those of them that travel another way now. Filled in by [`Autopilot::adopt`].
    pub moved: usize,
    ways: Vec<(usize, Way)>,
}

/// By how much CPU seconds may be believed to be off: further apart are no machines.
const SCALES: [f64; 2] = [1e-3, 1e3];
/// What a profile takes for one sample.
const MOST_SECONDS: f64 = 3600.0;

// === impl Autopilot ===

impl Autopilot {
    /// Plans an epoch over these samples.
    ///
    /// # Errors
    /// Where there is no plan for these resources.
    pub fn new(
        profile: Arc<Profile>,
        resources: Resources,
        options: AutopilotOptions,
        samples: &[SampleIndex],
    ) -> Result<Self, PilotError> {
        let mut pilot = Self::idle(profile, resources, options)?;
        if let Some(planning) = pilot.begin(samples) {
            pilot.adopt(planning.plan()?)?;
        }
        Ok(pilot)
    }

    /// The same, on a thread that may block: a million samples take a planner a second.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub async fn planned(
        profile: Arc<Profile>,
        resources: Resources,
        options: AutopilotOptions,
        samples: &[SampleIndex],
    ) -> Result<Self, PilotError> {
        let samples = samples.to_vec();
        let planning = tokio::task::spawn_blocking(move || Self::new(profile, resources, options, &samples));
        planning.await.map_err(|error| PilotError::Internal(error.to_string()))?
    }

    /// A pilot of no epoch yet: samples travel as they are stored until one [begins](Self::begin), or a plan is
    /// [followed](Self::follow).
    ///
    /// # Errors
    /// A fault of this program.
    pub fn idle(profile: Arc<Profile>, resources: Resources, options: AutopilotOptions) -> Result<Self, PilotError> {
        let choices = vec![Way::ENCODED; profile.len()];
        let servers = profile.servers().len();
        Ok(Self {
            live: match profile.provenance().model {
                Some(_) => LivePlan::with_features(choices.as_slice().into()),
                None => LivePlan::new(choices.as_slice().into())?,
            },
            watch: Watch::new(options.watch),
            reading: Reading { storage: vec![Work::default(); servers], ..Reading::default() },
            believed: Believed { resources, storage_scale: vec![1.0; servers], trainer_scale: 1.0 },
            learnt: false,
            prediction: None,
            left: vec![0; profile.len()],
            profile,
            options,
            choices,
        })
    }

    /// Begins an epoch over these samples: gives what is to be planned, with what was learnt until now; nothing where there are no
    /// samples.
    pub fn begin(&mut self, samples: &[SampleIndex]) -> Option<Replanning> {
        self.expect(samples);
        self.replanning(Seen::default(), self.believed.clone())
    }

    /// Begins an epoch over these samples by a plan that is there already.
    ///
    /// # Errors
    /// A plan of another dataset.
    pub fn follow(&mut self, plan: &Plan, samples: &[SampleIndex]) -> Result<(), PilotError> {
        let (planned, served) = (plan.len(), self.choices.len());
        if planned != served {
            return Err(PilotError::PlannedSamples { planned, served: served as u64 });
        }
        self.expect(samples);
        self.choices = plan.iter().collect();
        self.prediction = Some(plan.prediction.clone());
        Ok(self.live.set(self.choices.as_slice().into())?)
    }

    fn expect(&mut self, samples: &[SampleIndex]) {
        self.left.fill(0);
        for index in samples {
            if let Some(left) = usize::try_from(index.0).ok().and_then(|place| self.left.get_mut(place)) {
                *left = left.saturating_add(1);
            }
        }
        self.watch.restart();
    }

    /// What was learnt until now; `None` where nothing was news.
    pub fn learnt(&self) -> Option<Learnt> {
        self.learnt.then(|| Learnt {
            bandwidth: self.believed.resources.bandwidth,
            storage: self.believed.storage_scale.clone(),
            trainer: self.believed.trainer_scale,
        })
    }

    /// Believes what another has learnt with this profile. What is not of its servers, or out of bounds, is left alone.
    pub fn believe(&mut self, learnt: &Learnt) {
        let sound = |scale: &f64| (SCALES[0]..=SCALES[1]).contains(scale);
        let believed = &mut self.believed;
        let of_these = learnt.storage.len() == believed.storage_scale.len();
        if of_these && learnt.storage.iter().chain([&learnt.trainer]).all(sound) {
            believed.resources.bandwidth = learnt.bandwidth;
            believed.storage_scale.clone_from(&learnt.storage);
            believed.trainer_scale = learnt.trainer;
            self.learnt = true;
        }
    }

    /// The ways that a request asks for.
    pub fn live(&self) -> &LivePlan {
        &self.live
    }

    /// What the latest plan promises for what was left when it was made; `None` before the first.
    pub fn prediction(&self) -> Option<&Prediction> {
        self.prediction.as_ref()
    }

    /// Books a sample that came this way and was finished, with the CPU time that it took on each side.
    pub fn came(&mut self, index: SampleIndex, way: Option<Way>, storage: CpuSeconds, trainer: CpuSeconds) {
        let Ok(place) = usize::try_from(index.0) else { return };
        let Some(left) = self.left.get_mut(place) else { return };
        if !self.options.repeats {
            *left = left.saturating_sub(1);
        }
        self.reading.trainer.measured += trainer.0;
        let Some(server) = self.profile.server_of(place) else { return };
        self.reading.storage[server].measured += storage.0;
        // A sample at another cut came by the plan before. A sample at the planned cut is booked as planned, even where
        // its pixels came raw because coding would not have made them smaller.
        let planned = self.choices[place];
        let way = way.filter(|came| came.cut() != planned.cut()).unwrap_or(planned);
        let cost = self.profile.position(way).and_then(|position| self.profile.cost(place, position));
        let cost = cost.unwrap_or_default();
        self.reading.storage[server].predicted += cost.storage_seconds * self.believed.storage_scale[server];
        self.reading.trainer.predicted += cost.trainer_seconds * self.believed.trainer_scale;
    }

    /// Nobody has looked for a while, and what was read before says nothing of now.
    pub fn resume(&mut self) {
        self.watch.restart();
    }

    /// Looks at what was received and done until now. Gives what is to be planned anew, if anything is.
    pub fn look(&mut self, look: Look) -> Option<Replanning> {
        self.reading.at = look.at;
        self.reading.bytes = look.received as f64;
        self.reading.arriving = look.arriving.as_secs_f64();
        self.reading.late = look.late.as_secs_f64();
        let resources = &self.believed.resources;
        let belief = Belief {
            bandwidth: resources.bandwidth.map(BitsPerSecond::get),
            storage_cores: resources.servers.iter().map(|server| server.cores.get()).collect(),
            trainer_cores: resources.trainer_cores.map_or(f64::INFINITY, |cores| cores.get()),
        };
        let seen = self.watch.look(self.reading.clone(), &belief)?;
        self.watch.restart();
        let mut believed = self.believed.clone();
        if let Some(bandwidth) = seen.bandwidth.and_then(BitsPerSecond::new) {
            believed.resources.bandwidth = Some(bandwidth);
        }
        let by = |scale: &mut f64, factor: f64| {
            *scale = (*scale * factor.clamp(0.01, 100.0)).clamp(SCALES[0], SCALES[1]);
        };
        for (scale, &factor) in believed.storage_scale.iter_mut().zip(seen.storage.iter().flatten()) {
            by(scale, factor);
        }
        by(&mut believed.trainer_scale, seen.trainer.unwrap_or(1.0));
        self.replanning(seen, believed)
    }

    /// What is left, to be planned; nothing where nothing is.
    fn replanning(&self, seen: Seen, believed: Believed) -> Option<Replanning> {
        let times = |place: usize| std::iter::repeat_n(place, self.left[place] as usize);
        let left: Vec<_> = (0..self.left.len()).flat_map(times).collect();
        let (profile, options) = (Arc::clone(&self.profile), self.options.clone());
        let replanning = Replanning { profile, options, believed, left, seen };
        (!replanning.left.is_empty()).then_some(replanning)
    }

    /// Follows a new plan, from now on.
    ///
    /// # Errors
    /// A fault of this program: the plan is of another dataset.
    pub fn adopt(&mut self, mut replanned: Replanned) -> Result<Replanned, PilotError> {
        for &(place, way) in &replanned.ways {
            // What has come meanwhile is past planning.
            if self.left[place] > 0 && self.choices[place] != way {
                self.choices[place] = way;
                replanned.moved += 1;
            }
        }
        if replanned.moved > 0 {
            self.live.set(self.choices.as_slice().into())?;
        }
        self.believed = replanned.believed.clone();
        self.learnt |= replanned.seen != Seen::default();
        self.prediction = Some(replanned.prediction.clone());
        self.watch.restart();
        Ok(replanned)
    }
}

// === impl Replanned ===

impl Replanned {
    /// What is believed now of what arrives at most; `None`: more than matters.
    pub fn bandwidth(&self) -> Option<BitsPerSecond> {
        self.believed.resources.bandwidth
    }
}

// === impl Replanning ===

impl Replanning {
    /// Plans what is left. Computes for as long as a planner does.
    ///
    /// # Errors
    /// Where there is no plan.
    pub fn plan(self) -> Result<Replanned, PilotError> {
        let whole =
            self.left.len() == self.profile.len() && self.left.iter().enumerate().all(|(at, place)| at == *place);
        let Believed { resources, storage_scale, trainer_scale } = &self.believed;
        let as_profiled = *trainer_scale == 1.0 && storage_scale.iter().all(|scale| *scale == 1.0);
        let rest = if whole && as_profiled { Arc::clone(&self.profile) } else { Arc::new(self.rest()?) };
        let plan = plan(&rest, resources, &self.options.allowed, self.options.algorithm)?;
        let ways = self.left.iter().copied().zip(plan.iter()).collect();
        let Self { believed, left, seen, .. } = self;
        Ok(Replanned { seen, believed, prediction: plan.prediction.clone(), left: left.len(), moved: 0, ways })
    }

    /// The profile of what is left, as it is believed by now.
    fn rest(&self) -> Result<Profile, PilotError> {
        let profile = &self.profile;
        let mut first = 0;
        let mut servers = Vec::new();
        for server in profile.servers() {
            let held = |place: &usize| (server.first..server.end()).contains(&(*place as u64));
            let samples = self.left.iter().filter(|place| held(place)).count() as u64;
            servers.push(Server { first, samples, ..server.clone() });
            first += samples;
        }
        let mut builder = ProfileBuilder::new(profile.provenance().clone(), servers, profile.ways().to_vec())?;
        for &place in &self.left {
            let scale = profile.server_of(place).map_or(1.0, |server| self.believed.storage_scale[server]);
            let cost = |position| {
                let cost = profile.cost(place, position).unwrap_or_default();
                Cost {
                    storage_seconds: (cost.storage_seconds * scale).min(MOST_SECONDS),
                    trainer_seconds: (cost.trainer_seconds * self.believed.trainer_scale).min(MOST_SECONDS),
                    ..cost
                }
            };
            let costs: Vec<_> = (0..profile.ways().len()).map(cost).collect();
            builder.push(&SampleFacts::default(), &costs)?;
        }
        Ok(builder.finish()?)
    }
}

#[cfg(test)]
mod tests;
