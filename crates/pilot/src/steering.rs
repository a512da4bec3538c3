//! How samples travel while they are fetched: one way for all, by a plan, or by a plan that follows what is seen.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use headwater_client::{Counters, Dataset, Listener, Ways};
use headwater_plan::Plan;
use headwater_types::{CpuSeconds, SampleIndex, Way};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::autopilot::{Autopilot, Learnt, Look, Replanned, Replanning};
use crate::error::PilotError;
use crate::replan::Replan;
use crate::stamp::Stamp;
use crate::target::Target;

/// How samples travel. Clones are the same.
#[derive(Clone, Debug)]
pub struct Steering {
    ways: Ways,
    pilot: Option<Arc<Pilot>>,
}

/// An autopilot on its way.
#[derive(Debug)]
struct Pilot {
    autopilot: Mutex<Autopilot>,
    /// When it was watched first, and what had been received until then: several streams may follow each other.
    began: OnceLock<(Instant, Counters)>,
    log: Mutex<Vec<Replan>>,
}

/// Looks a second are four.
const TICK: Duration = Duration::from_millis(250);
/// What a timer is asked for between looks, and how late it may be without that meaning anything.
const BEAT: Duration = Duration::from_millis(10);
const GRAIN: Duration = Duration::from_millis(2);

// === impl Steering ===

impl Steering {
    /// Samples travel these ways, whatever is seen.
    pub fn new(ways: impl Into<Ways>) -> Self {
        Self { ways: ways.into(), pilot: None }
    }

    /// By a plan for this dataset, and for this recipe's tensors or this model's features.
    ///
    /// # Errors
    /// A plan that was made for others.
    pub fn by<'a>(plan: &Plan, dataset: &Dataset, target: impl Into<Target<'a>>) -> Result<Self, PilotError> {
        check(plan, dataset, target.into())?;
        Ok(Self::new(Ways::PerSample(plan.iter().collect())))
    }

    /// By a plan that is planned anew on the way.
    pub fn piloted(autopilot: Autopilot) -> Self {
        let live = autopilot.live().clone();
        let pilot = Pilot { autopilot: Mutex::new(autopilot), began: OnceLock::new(), log: Mutex::new(Vec::new()) };
        Self { pilot: Some(Arc::new(pilot)), ..Self::new(Ways::Live(live)) }
    }

    /// The ways that a request asks for.
    pub fn ways(&self) -> Ways {
        self.ways.clone()
    }

    /// Whether it must hear what samples take: a request that it steers has `measure_cpu` set then.
    pub fn listens(&self) -> bool {
        self.pilot.is_some()
    }

    /// Watches until it is dropped; an error is one of planning. Without a pilot there is nothing to watch. May be called again for
    /// the next of several streams, one after the other.
    ///
    /// # Errors
    /// Where what is left cannot be planned.
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

    /// Begins a further epoch over these samples: plans it, with what was learnt until now.
    ///
    /// # Errors
    /// Where it cannot be planned.
    pub async fn begin(&self, samples: &[SampleIndex]) -> Result<(), PilotError> {
        let Some(pilot) = &self.pilot else { return Ok(()) };
        let planning = pilot.lock().begin(samples);
        if let Some(planning) = planning {
            pilot.adopt(planning).await?;
        }
        Ok(())
    }

    /// Begins a further epoch over these samples, by a plan that is there already.
    ///
    /// # Errors
    /// A plan of another dataset.
    pub fn follow(&self, plan: &Plan, samples: &[SampleIndex]) -> Result<(), PilotError> {
        self.pilot.as_ref().map_or(Ok(()), |pilot| pilot.lock().follow(plan, samples))
    }

    /// What the pilot has learnt until now; nothing where there is none, or nothing was news.
    pub fn learnt(&self) -> Option<Learnt> {
        self.pilot.as_ref().and_then(|pilot| pilot.lock().learnt())
    }

    /// Every change of plan so far.
    pub fn replans(&self) -> Vec<Replan> {
        self.pilot.as_ref().map(|pilot| pilot.log().clone()).unwrap_or_default()
    }
}

impl Listener for Steering {
    fn came(&self, index: SampleIndex, way: Option<Way>, storage: CpuSeconds, trainer: CpuSeconds) {
        Self::came(self, index, way, storage, trainer);
    }
}

// === impl Pilot ===

impl Pilot {
    async fn watch(&self, dataset: &Dataset) -> Result<(), PilotError> {
        let (begin, before) = self.began.get_or_init(|| (Instant::now(), dataset.counters()));
        self.lock().resume();
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut last, mut looked, mut late) = (Instant::now(), None::<Instant>, Duration::ZERO);
        loop {
            beats.tick().await;
            let beat = Instant::now();
            late += (beat - last).saturating_sub(BEAT + GRAIN);
            last = beat;
            if looked.is_some_and(|looked| beat - looked < TICK) {
                continue;
            }
            looked = Some(beat);
            let now = dataset.counters();
            let look = Look {
                at: beat - *begin,
                received: now.bytes_received - before.bytes_received,
                arriving: now.arriving - before.arriving,
                late,
            };
            let replanning = self.lock().look(look);
            let Some(replanning) = replanning else { continue };
            let replanned = self.adopt(replanning).await?;
            let replan = Replan::new(begin.elapsed(), &replanned);
            replan.trace();
            self.log().push(replan);
        }
    }

    /// Plans, on a thread that may, and follows.
    async fn adopt(&self, replanning: Replanning) -> Result<Replanned, PilotError> {
        let planned = tokio::task::spawn_blocking(move || replanning.plan()).await;
        let planned = planned.map_err(|error| PilotError::Internal(error.to_string()))??;
        self.lock().adopt(planned)
    }

    fn lock(&self) -> MutexGuard<'_, Autopilot> {
        self.autopilot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Vec<Replan>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A plan may only be followed where it was made for.
fn check(plan: &Plan, dataset: &Dataset, target: Target<'_>) -> Result<(), PilotError> {
    let stamp = Stamp::from(plan);
    if !stamp.is_of_length(dataset) {
        return Err(PilotError::PlannedSamples { planned: plan.len(), served: dataset.len() });
    }
    if !stamp.is_of_dataset(dataset) {
        return Err(PilotError::PlannedDataset(dataset.name().clone()));
    }
    match (target.model(), plan.inputs.model_digest) {
        (None, Some(_)) => return Err(PilotError::PlannedFeatures(model_of(plan))),
        (Some(used), None) => return Err(PilotError::PlannedTensors(used.name.to_string())),
        (Some(used), Some(planned)) if planned != used.digest => {
            return Err(PilotError::PlannedModel {
                model: model_of(plan),
                planned: planned.short().to_string(),
                used: used.name.to_string(),
                digest: used.digest.short().to_string(),
            });
        }
        _ => {}
    }
    if let Some(model) = target.model() {
        let registered = dataset.registered_model(&model.name)?.servers;
        let lacking = dataset.partitions().iter().zip(registered).filter(|(_, has)| !has);
        for (partition, _) in lacking {
            let asked =
                |index: u64| usize::try_from(index).ok().and_then(|index| plan.way(index)) == Some(Way::FEATURES);
            if (partition.first..partition.end()).any(asked) {
                let (server, model) = (partition.address.clone(), model.name.clone());
                return Err(PilotError::PlannedWithoutModel { server, model });
            }
        }
    }
    let recipe = target.recipe();
    if !stamp.is_of_recipe(recipe) {
        let planned = plan.inputs.recipe.clone().unwrap_or_else(|| "another".to_owned());
        return Err(PilotError::PlannedRecipe { planned, used: recipe.name().to_string() });
    }
    Ok(())
}

fn model_of(plan: &Plan) -> String {
    plan.inputs.model.as_ref().map_or_else(|| "of another name".to_owned(), ToString::to_string)
}
