//! How samples travel while a command fetches them: one way for all, by a plan, or by a plan that follows what is seen.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use headwater_client::{Choice, CutChoice, Dataset, PixelChoice};
use headwater_pilot::{Autopilot, Replanned};
use headwater_plan::{Plan, Way};
use headwater_types::{BitsPerSecond, CpuSeconds, Cut, Recipe, SampleIndex};
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How samples travel.
pub(crate) struct Steering {
    pub(crate) cut: CutChoice,
    pub(crate) pixels: PixelChoice,
    pub(crate) pilot: Option<Arc<Pilot>>,
}

/// An autopilot on its way.
pub(crate) struct Pilot {
    autopilot: Mutex<Autopilot>,
    /// Nanoseconds for which the reader took nothing.
    blocked: AtomicU64,
    log: Mutex<Vec<Replan>>,
}

/// A change of plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Replan {
    /// Seconds after the beginning.
    pub(crate) at: f64,
    /// What was seen that was not predicted: bits per second, and factors of CPU seconds.
    pub(crate) seen_bandwidth: Option<f64>,
    pub(crate) seen_storage_cpu: Option<Vec<f64>>,
    pub(crate) seen_trainer_cpu: Option<f64>,
    /// What is believed now, in bits per second.
    pub(crate) bandwidth: Option<f64>,
    /// Samples that were left, and those of them that travel another way now.
    pub(crate) left: u64,
    pub(crate) moved: u64,
    /// Seconds that the rest is predicted to take.
    pub(crate) predicted_rest: f64,
}

/// Looks a second are four.
const TICK: Duration = Duration::from_millis(250);

// === impl Steering ===

impl Steering {
    /// One way for all.
    pub(crate) fn fixed(way: Way) -> Self {
        Self { cut: way.cut().into(), pixels: way.pixels().into(), pilot: None }
    }

    /// By a plan for this dataset and recipe.
    pub(crate) fn by(plan: &Plan, dataset: &Dataset, recipe: &Recipe) -> anyhow::Result<Self> {
        check(plan, dataset, recipe)?;
        let (cut, pixels) = (Choice::PerSample(plan.cuts().into()), Choice::PerSample(plan.pixels().into()));
        Ok(Self { cut, pixels, pilot: None })
    }

    /// By a plan that is planned anew on the way.
    pub(crate) fn piloted(autopilot: Autopilot) -> Self {
        let live = autopilot.live().clone();
        let pilot = Pilot { autopilot: Mutex::new(autopilot), blocked: AtomicU64::new(0), log: Mutex::new(Vec::new()) };
        Self { cut: Choice::Live(live.clone()), pixels: Choice::Live(live), pilot: Some(Arc::new(pilot)) }
    }

    /// Watches until it is dropped; an error is one of planning. Without a pilot there is nothing to watch.
    pub(crate) async fn watch(&self, dataset: &Dataset) -> anyhow::Result<()> {
        match &self.pilot {
            Some(pilot) => pilot.watch(dataset).await,
            None => std::future::pending().await,
        }
    }

    /// A sample has come and was finished.
    pub(crate) fn came(&self, index: SampleIndex, cut: Option<Cut>, storage: CpuSeconds, trainer: CpuSeconds) {
        if let Some(pilot) = &self.pilot {
            let mut autopilot = pilot.autopilot.lock().unwrap_or_else(PoisonError::into_inner);
            autopilot.came(index, cut, storage, trainer);
        }
    }

    /// The reader took nothing for so long.
    pub(crate) fn blocked(&self, time: Duration) {
        if let Some(pilot) = &self.pilot {
            pilot.blocked.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// Every change of plan so far.
    pub(crate) fn replans(&self) -> Vec<Replan> {
        let log = self.pilot.as_ref().map(|pilot| pilot.log.lock().unwrap_or_else(PoisonError::into_inner).clone());
        log.unwrap_or_default()
    }
}

// === impl Pilot ===

impl Pilot {
    async fn watch(&self, dataset: &Dataset) -> anyhow::Result<()> {
        let (begin, before) = (Instant::now(), dataset.counters().bytes_received);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let at = ticks.tick().await - begin;
            let received = dataset.counters().bytes_received - before;
            let blocked = Duration::from_nanos(self.blocked.load(Ordering::Relaxed));
            let replanning = self.lock().look(at, received, blocked);
            let Some(replanning) = replanning else { continue };
            let planned = tokio::task::spawn_blocking(move || replanning.plan()).await;
            let replanned = self.lock().adopt(planned.context("planning anew")??)?;
            let replan = Replan::new(begin.elapsed(), &replanned);
            tracing_of(&replan);
            self.log.lock().unwrap_or_else(PoisonError::into_inner).push(replan);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Autopilot> {
        self.autopilot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Replan ===

impl Replan {
    fn new(at: Duration, replanned: &Replanned) -> Self {
        let Replanned { seen, resources, prediction, left, moved, .. } = replanned;
        Self {
            at: at.as_secs_f64(),
            seen_bandwidth: seen.bandwidth,
            seen_storage_cpu: seen.storage.clone(),
            seen_trainer_cpu: seen.trainer,
            bandwidth: resources.bandwidth.map(BitsPerSecond::get),
            left: *left as u64,
            moved: *moved as u64,
            predicted_rest: prediction.epoch,
        }
    }
}

fn tracing_of(replan: &Replan) {
    let Replan { at, bandwidth, left, moved, predicted_rest, .. } = replan;
    let bandwidth = bandwidth.and_then(BitsPerSecond::new).map(|bandwidth| bandwidth.to_string());
    tracing::info!(at, bandwidth, left, moved, predicted_rest, "planned anew");
}

/// A plan may only be followed where it was made for.
fn check(plan: &Plan, dataset: &Dataset, recipe: &Recipe) -> anyhow::Result<()> {
    if plan.len() as u64 != dataset.len() {
        bail!("the plan is for {} samples, and the dataset has {}: plan for this dataset", plan.len(), dataset.len());
    }
    if plan.inputs.dataset_digest.is_some_and(|digest| digest != dataset.digest()) {
        bail!(
            "the plan is for another dataset, or for these servers in another order: profile {} and plan for it",
            dataset.name()
        );
    }
    if plan.inputs.recipe_digest.is_some_and(|digest| digest != recipe.digest()) {
        let planned = plan.inputs.recipe.as_deref().unwrap_or("another");
        bail!(
            "the plan is for the recipe {planned}, and not for this {}: plan for the recipe that is used",
            recipe.name()
        );
    }
    Ok(())
}
