//! An autopilot and the streams that it watches, one after the other.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use headwater_client::{Counters, Dataset};
use tokio::time::Instant;

use crate::autopilot::{Autopilot, Replanned, Replanning};
use crate::error::PilotError;
use crate::looks::Looks;
use crate::replan::Replan;

/// An autopilot that is shared by the streams that it steers.
#[derive(Debug)]
pub(super) struct Pilot {
    autopilot: Mutex<Autopilot>,
    /// When the pilot was watched first, and what had been received until then. Several streams may follow each other.
    began: OnceLock<(Instant, Counters)>,
    log: Mutex<Vec<Replan>>,
}

// === impl Pilot ===

impl Pilot {
    pub(super) fn new(autopilot: Autopilot) -> Self {
        Self { autopilot: Mutex::new(autopilot), began: OnceLock::new(), log: Mutex::new(Vec::new()) }
    }

    /// Watches the epoch until the future is dropped, and plans the rest anew where it deviates.
    pub(super) async fn watch(&self, dataset: &Dataset) -> Result<(), PilotError> {
        let (begin, before) = self.began.get_or_init(|| (Instant::now(), dataset.counters()));
        self.lock().resume();
        let mut looks = Looks::since(*begin, before.clone());
        loop {
            let look = looks.next(dataset).await;
            let replanning = self.lock().look(look);
            let Some(replanning) = replanning else { continue };
            let replanned = self.adopt(replanning).await?;
            let replan = Replan::new(begin.elapsed(), &replanned);
            replan.trace();
            self.log().push(replan);
        }
    }

    /// Plans on a thread that may block, and follows the new plan.
    pub(super) async fn adopt(&self, replanning: Replanning) -> Result<Replanned, PilotError> {
        let planned = tokio::task::spawn_blocking(move || replanning.plan()).await;
        let planned = planned.map_err(|error| PilotError::Internal(error.to_string()))??;
        self.lock().adopt(planned)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Autopilot> {
        self.autopilot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every change of plan so far.
    pub(super) fn replans(&self) -> Vec<Replan> {
        self.log().clone()
    }

    fn log(&self) -> MutexGuard<'_, Vec<Replan>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
