//! A plan that follows what is seen: a pilot watches an epoch, and plans the rest anew where the epoch leaves the
//! prediction.
//!
//! Only how samples travel changes. Which samples come, and their tensors, follow from the recipe, the seed and the
//! epoch.

mod believed;
mod look;
mod options;
mod replanning;

use std::sync::Arc;

use headwater_client::LivePlan;
use headwater_plan::{Plan, Prediction, Profile, Resources};
use headwater_types::{CpuSeconds, SampleIndex, Way};

use believed::Believed;
pub use believed::Learnt;
pub use look::Look;
pub use options::AutopilotOptions;
pub use replanning::{Replanned, Replanning};

use crate::error::PilotError;
use crate::watch::{CpuTally, Deviation, Reading, Watch};

/// A pilot of epochs, one after the other.
#[derive(Debug)]
pub struct Autopilot {
    profile: Arc<Profile>,
    options: AutopilotOptions,
    believed: Believed,
    /// Whether `believed` was ever corrected.
    learnt: bool,
    prediction: Option<Prediction>,
    choices: Vec<Way>,
    /// How many times each sample is still to come.
    left: Vec<u32>,
    watch: Watch,
    reading: Reading,
    live: LivePlan,
}

// === impl Autopilot ===

impl Autopilot {
    /// Plans an epoch over these samples.
    ///
    /// # Errors
    /// No plan fits these resources.
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

    /// Plans an epoch as [`new`](Self::new) does, on a thread that may block: a million samples take a planner a
    /// second.
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
            reading: Reading { storage: vec![CpuTally::default(); servers], ..Reading::default() },
            believed: Believed::new(resources, servers),
            learnt: false,
            prediction: None,
            left: vec![0; profile.len()],
            profile,
            options,
            choices,
        })
    }

    /// Begins an epoch over these samples. Returns what is to be planned, with what was learnt until now; `None` where
    /// there are no samples.
    pub fn begin(&mut self, samples: &[SampleIndex]) -> Option<Replanning> {
        self.expect(samples);
        self.replanning(Deviation::default(), self.believed.clone())
    }

    /// Begins an epoch over these samples by a plan that was made before.
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

    /// Counts how many times each sample is to come.
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
        self.learnt.then(|| self.believed.learnt())
    }

    /// Believes what another pilot has learnt with this profile. Factors of other servers, or out of bounds, are left
    /// alone.
    pub fn believe(&mut self, learnt: &Learnt) {
        self.learnt |= self.believed.take(learnt);
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

    /// Forgets what was read before: there was a pause, and what was read before it says nothing of what comes after
    /// it.
    pub fn resume(&mut self) {
        self.watch.restart();
    }

    /// Looks at what was received and done until now. Returns what is to be planned anew; `None` where nothing
    /// deviates.
    pub fn look(&mut self, look: Look) -> Option<Replanning> {
        self.reading.at = look.at;
        self.reading.bytes = look.received as f64;
        self.reading.arriving = look.arriving.as_secs_f64();
        self.reading.late = look.late.as_secs_f64();
        let deviation = self.watch.look(self.reading.clone(), &self.believed.belief())?;
        self.watch.restart();
        let believed = self.believed.corrected(&deviation);
        self.replanning(deviation, believed)
    }

    /// What is left, to be planned; `None` where nothing is left.
    fn replanning(&self, deviation: Deviation, believed: Believed) -> Option<Replanning> {
        Replanning::new((&self.profile, &self.options), &self.left, deviation, believed)
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
        self.learnt |= replanned.deviation != Deviation::default();
        self.prediction = Some(replanned.prediction.clone());
        self.watch.restart();
        Ok(replanned)
    }
}

#[cfg(test)]
mod tests;
