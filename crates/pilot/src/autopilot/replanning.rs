//! What is left of an epoch, and its new plan.

use std::sync::Arc;

use headwater_plan::{Prediction, Profile, ProfileBuilder, SampleFacts, Server, plan};
use headwater_types::{BitsPerSecond, Way};

use super::believed::Believed;
use super::options::AutopilotOptions;
use crate::error::PilotError;
use crate::watch::Deviation;

/// What is left of an epoch, to be planned. Planning may take a second, and belongs on a thread that may block.
#[derive(Debug)]
pub struct Replanning {
    profile: Arc<Profile>,
    options: AutopilotOptions,
    believed: Believed,
    /// The samples' places in the profile, in order. A sample that is to come twice is there twice.
    left: Vec<usize>,
    deviation: Deviation,
}

/// What is left of an epoch, planned anew.
#[derive(Clone, Debug)]
pub struct Replanned {
    /// What was seen that was not predicted.
    pub deviation: Deviation,
    pub(super) believed: Believed,
    /// What is promised for the samples that are left.
    pub prediction: Prediction,
    /// How many samples are left.
    pub left: usize,
    /// How many of the samples that are left travel another way now. [`Autopilot::adopt`](super::Autopilot::adopt)
    /// counts them.
    pub moved: usize,
    /// The ways by the samples' places in the profile.
    pub(super) ways: Vec<(usize, Way)>,
}

// === impl Replanned ===

impl Replanned {
    /// Bits per second that are now believed to arrive at most; `None` where they are more than matters.
    pub fn bandwidth(&self) -> Option<BitsPerSecond> {
        self.believed.resources.bandwidth
    }
}

// === impl Replanning ===

impl Replanning {
    /// What is left of an epoch; `left` says how many times each sample of the profile is still to come. `None` where
    /// nothing is left.
    pub(super) fn new(
        (profile, options): (&Arc<Profile>, &AutopilotOptions),
        left: &[u32],
        deviation: Deviation,
        believed: Believed,
    ) -> Option<Self> {
        let times = |place: usize| std::iter::repeat_n(place, left[place] as usize);
        let left: Vec<_> = (0..left.len()).flat_map(times).collect();
        let (profile, options) = (Arc::clone(profile), options.clone());
        (!left.is_empty()).then_some(Self { profile, options, believed, left, deviation })
    }

    /// Plans what is left. This computes for as long as a planner does.
    ///
    /// # Errors
    /// Where there is no plan.
    pub fn plan(self) -> Result<Replanned, PilotError> {
        let whole =
            self.left.len() == self.profile.len() && self.left.iter().enumerate().all(|(at, place)| at == *place);
        let as_profiled = whole && self.believed.is_as_profiled();
        let rest = if as_profiled { Arc::clone(&self.profile) } else { Arc::new(self.rest()?) };
        let plan = plan(&rest, &self.believed.resources, &self.options.allowed, self.options.algorithm)?;
        let ways = self.left.iter().copied().zip(plan.iter()).collect();
        let Self { believed, left, deviation, .. } = self;
        Ok(Replanned { deviation, believed, prediction: plan.prediction.clone(), left: left.len(), moved: 0, ways })
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
            let server = profile.server_of(place);
            let cost = |position| self.believed.cost(profile.cost(place, position).unwrap_or_default(), server);
            let costs: Vec<_> = (0..profile.ways().len()).map(cost).collect();
            builder.push(&SampleFacts::default(), &costs)?;
        }
        Ok(builder.finish()?)
    }
}
