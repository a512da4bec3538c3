//! How samples travel while they are fetched: one way for all, by a plan, or by a plan that follows what is seen.

mod fit;
mod pilot;

use std::sync::Arc;

use headwater_client::{Dataset, Listener, Ways};
use headwater_plan::Plan;
use headwater_types::{CpuSeconds, SampleIndex, Way};

use pilot::Pilot;

use crate::autopilot::{Autopilot, Learnt};
use crate::error::PilotError;
use crate::replan::Replan;
use crate::target::Target;

/// How samples travel. Clones share one pilot.
#[derive(Clone, Debug)]
pub struct Steering {
    ways: Ways,
    pilot: Option<Arc<Pilot>>,
}

// === impl Steering ===

impl Steering {
    /// Samples travel these ways, whatever is seen of the epoch.
    pub fn new(ways: impl Into<Ways>) -> Self {
        Self { ways: ways.into(), pilot: None }
    }

    /// Samples travel by a plan for this dataset, and for this recipe's tensors or this model's features.
    ///
    /// # Errors
    /// The plan was made for another dataset, recipe or model.
    pub fn by<'a>(plan: &Plan, dataset: &Dataset, target: impl Into<Target<'a>>) -> Result<Self, PilotError> {
        fit::check(plan, dataset, target.into())?;
        Ok(Self::new(Ways::PerSample(plan.iter().collect())))
    }

    /// Samples travel by a plan that is planned anew on the way.
    pub fn piloted(autopilot: Autopilot) -> Self {
        let live = autopilot.live().clone();
        Self { pilot: Some(Arc::new(Pilot::new(autopilot))), ..Self::new(Ways::Live(live)) }
    }

    /// The ways that a request asks for.
    pub fn ways(&self) -> Ways {
        self.ways.clone()
    }

    /// Whether the steering must hear what samples take. A request that it steers has `measure_cpu` set then.
    pub fn listens(&self) -> bool {
        self.pilot.is_some()
    }

    /// Watches the epoch until the future is dropped. Without a pilot there is nothing to watch. It may be called again
    /// for the next of several streams, one after the other.
    ///
    /// # Errors
    /// What is left cannot be planned.
    pub async fn watch(&self, dataset: &Dataset) -> Result<(), PilotError> {
        match &self.pilot {
            Some(pilot) => pilot.watch(dataset).await,
            None => std::future::pending().await,
        }
    }

    /// Books a sample that came this way and was finished, with the CPU time that it took on each side.
    pub fn came(&self, index: SampleIndex, way: Option<Way>, storage: CpuSeconds, trainer: CpuSeconds) {
        if let Some(pilot) = &self.pilot {
            pilot.lock().came(index, way, storage, trainer);
        }
    }

    /// Begins a further epoch over these samples, and plans it with what was learnt until now.
    ///
    /// # Errors
    /// The epoch cannot be planned.
    pub async fn begin(&self, samples: &[SampleIndex]) -> Result<(), PilotError> {
        let Some(pilot) = &self.pilot else { return Ok(()) };
        let planning = pilot.lock().begin(samples);
        if let Some(planning) = planning {
            pilot.adopt(planning).await?;
        }
        Ok(())
    }

    /// Begins a further epoch over these samples, by a plan that was made before.
    ///
    /// # Errors
    /// The plan is of another dataset.
    pub fn follow(&self, plan: &Plan, samples: &[SampleIndex]) -> Result<(), PilotError> {
        self.pilot.as_ref().map_or(Ok(()), |pilot| pilot.lock().follow(plan, samples))
    }

    /// What the pilot has learnt until now. `None` without a pilot, or where what came was as predicted.
    pub fn learnt(&self) -> Option<Learnt> {
        self.pilot.as_ref().and_then(|pilot| pilot.lock().learnt())
    }

    /// Every change of plan so far.
    pub fn replans(&self) -> Vec<Replan> {
        self.pilot.as_ref().map(|pilot| pilot.replans()).unwrap_or_default()
    }
}

impl Listener for Steering {
    fn came(&self, index: SampleIndex, way: Option<Way>, storage: CpuSeconds, trainer: CpuSeconds) {
        Self::came(self, index, way, storage, trainer);
    }
}
