//! What a pilot believes of resources and costs: at first what it was given, later what epochs have taught.

use headwater_plan::{Cost, Resources};
use headwater_types::BitsPerSecond;

use crate::watch::{Belief, Deviation};

/// What running epochs have taught.
#[derive(Clone, Debug, PartialEq)]
pub struct Learnt {
    /// Bits per second that arrive at most; `None` where they are more than matters.
    pub bandwidth: Option<BitsPerSecond>,
    /// For each server the factor by which the profile's CPU seconds are off.
    pub storage: Vec<f64>,
    /// The factor by which the profile's CPU seconds of finishing are off.
    pub trainer: f64,
}

/// Resources and costs, as they are believed to be.
#[derive(Clone, Debug)]
pub(super) struct Believed {
    pub(super) resources: Resources,
    /// For each server the factor by which the profile's CPU seconds are off.
    pub(super) storage_scale: Vec<f64>,
    /// The factor by which the profile's CPU seconds of finishing are off.
    pub(super) trainer_scale: f64,
}

/// The bounds of the factors: no two machines are further apart.
const SCALES: [f64; 2] = [1e-3, 1e3];
/// The bounds of the factor that one deviation is believed to have.
const STEP: [f64; 2] = [0.01, 100.0];
/// CPU seconds that a profile takes at most for one sample.
const MOST_SECONDS: f64 = 3600.0;

// === impl Believed ===

impl Believed {
    /// Believes in these resources, and in the profile's costs.
    pub(super) fn new(resources: Resources, servers: usize) -> Self {
        Self { storage_scale: vec![1.0; servers], trainer_scale: 1.0, resources }
    }

    /// What another pilot can take over.
    pub(super) fn learnt(&self) -> Learnt {
        Learnt { bandwidth: self.resources.bandwidth, storage: self.storage_scale.clone(), trainer: self.trainer_scale }
    }

    /// Takes over what another pilot has learnt. Returns whether it did: factors of other servers, or out of bounds,
    /// are left alone.
    pub(super) fn take(&mut self, learnt: &Learnt) -> bool {
        let sound = |scale: &f64| (SCALES[0]..=SCALES[1]).contains(scale);
        let of_these = learnt.storage.len() == self.storage_scale.len();
        let taken = of_these && learnt.storage.iter().chain([&learnt.trainer]).all(sound);
        if taken {
            self.resources.bandwidth = learnt.bandwidth;
            self.storage_scale.clone_from(&learnt.storage);
            self.trainer_scale = learnt.trainer;
        }
        taken
    }

    /// Corrects what is believed by what was seen.
    pub(super) fn corrected(&self, deviation: &Deviation) -> Self {
        let mut believed = self.clone();
        if let Some(bandwidth) = deviation.bandwidth.and_then(BitsPerSecond::new) {
            believed.resources.bandwidth = Some(bandwidth);
        }
        let by = |scale: &mut f64, factor: f64| {
            *scale = (*scale * factor.clamp(STEP[0], STEP[1])).clamp(SCALES[0], SCALES[1]);
        };
        for (scale, &factor) in believed.storage_scale.iter_mut().zip(deviation.storage.iter().flatten()) {
            by(scale, factor);
        }
        by(&mut believed.trainer_scale, deviation.trainer.unwrap_or(1.0));
        believed
    }

    /// What a watch holds a reading against.
    pub(super) fn belief(&self) -> Belief {
        let resources = &self.resources;
        Belief {
            bandwidth: resources.bandwidth.map(BitsPerSecond::get),
            storage_cores: resources.servers.iter().map(|server| server.cores.get()).collect(),
            trainer_cores: resources.trainer_cores.map_or(f64::INFINITY, |cores| cores.get()),
        }
    }

    /// Whether costs are believed to be what the profile says.
    pub(super) fn is_as_profiled(&self) -> bool {
        self.trainer_scale == 1.0 && self.storage_scale.iter().all(|scale| *scale == 1.0)
    }

    /// A cost of the profile at a server, as it is believed to be.
    pub(super) fn cost(&self, cost: Cost, server: Option<usize>) -> Cost {
        let scale = server.map_or(1.0, |server| self.storage_scale[server]);
        Cost {
            storage_seconds: (cost.storage_seconds * scale).min(MOST_SECONDS),
            trainer_seconds: (cost.trainer_seconds * self.trainer_scale).min(MOST_SECONDS),
            ..cost
        }
    }
}
