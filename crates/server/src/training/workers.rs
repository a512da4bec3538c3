//! The trainings of a server.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use headwater_features::Extractor;
use headwater_types::ByteCount;
use headwater_types::caps::MAX_TRAININGS;
use headwater_wire::status::Refusal;
use headwater_wire::training::{PrepareTraining, TrainingId};
use tokio::time::{Instant, sleep};
use tokio_util::task::AbortOnDropHandle;

use super::memory::TrainingMemory;
use super::worker::Worker;
use crate::metrics::{HeldTraining, TrainingMetrics};
use crate::offer::Offer;

/// How long a training is held of which nothing is heard: a tuner that was killed is started again by then.
const HOLD: Duration = Duration::from_secs(600);
/// How often it is looked for such ones.
const LOOK: Duration = Duration::from_secs(5);

/// The trainings of a server.
pub(crate) struct Trainings {
    workers: Arc<Mutex<BTreeMap<TrainingId, Held>>>,
    memory: Arc<TrainingMemory>,
    pub(crate) slowdown: f64,
    instance: [u8; 16],
    metrics: TrainingMetrics,
    _looking: AbortOnDropHandle<()>,
}

/// A training with the work that prepares it, which ends with it.
struct Held {
    worker: Arc<Worker>,
    _gathering: AbortOnDropHandle<()>,
    _counted: HeldTraining,
}

// === impl Trainings ===

impl Trainings {
    /// Has none yet: so much memory for features, and by what steps are slowed down. It looks after its trainings from
    /// now on, which takes a runtime.
    pub(crate) fn new((memory, slowdown): (ByteCount, f64), instance: [u8; 16], metrics: TrainingMetrics) -> Self {
        let workers = Arc::<Mutex<BTreeMap<TrainingId, Held>>>::default();
        let looked = Arc::clone(&workers);
        let looking = tokio::spawn(async move {
            loop {
                sleep(LOOK).await;
                forget(&looked, HOLD);
            }
        });
        let (memory, _looking) = (Arc::new(TrainingMemory::new(memory)), AbortOnDropHandle::new(looking));
        Self { workers, memory, slowdown, instance, metrics, _looking }
    }

    /// The training that is to be prepared: the one that is there already, or a new one.
    ///
    /// # Errors
    /// A training of this name that is another, and more trainings than a server holds.
    pub(crate) fn prepare(
        &self,
        prepare: PrepareTraining,
        (offer, extractor): (Arc<Offer>, Arc<Extractor>),
    ) -> Result<Arc<Worker>, Refusal> {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = workers.get(&prepare.training) {
            let is_failed = matches!(*held.worker.follow().borrow(), super::Stage::Failed(_));
            if held.worker.prepare != prepare {
                let message = "a training of this name was prepared otherwise: begin one of another name".to_owned();
                return Err(Refusal::NotTrained { message });
            }
            if !is_failed {
                return Ok(Arc::clone(&held.worker));
            }
        }
        workers.remove(&prepare.training);
        if workers.len() >= MAX_TRAININGS {
            let message = format!("the server holds {MAX_TRAININGS} trainings already: end one, or try again later");
            return Err(Refusal::NotTrained { message });
        }
        let worker = Arc::new(Worker::new(prepare));
        let gathering = {
            let (worker, memory) = (Arc::clone(&worker), Arc::clone(&self.memory));
            let of = (self.instance, self.slowdown);
            async move { worker.gather((offer, extractor), &memory, of).await }
        };
        let _gathering = AbortOnDropHandle::new(tokio::spawn(gathering));
        let held = Held { worker: Arc::clone(&worker), _gathering, _counted: self.metrics.hold() };
        workers.insert(worker.id(), held);
        Ok(worker)
    }

    /// The training of this name.
    ///
    /// # Errors
    /// [`Refusal::UnknownTraining`] where there is none.
    pub(crate) fn find(&self, id: TrainingId) -> Result<Arc<Worker>, Refusal> {
        let workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        workers.get(&id).map(|held| Arc::clone(&held.worker)).ok_or(Refusal::UnknownTraining)
    }

    /// Lets go of a training, if there is one of this name.
    pub(crate) fn end(&self, id: TrainingId) {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

/// Lets go of the trainings of which nothing was heard for so long.
fn forget(workers: &Mutex<BTreeMap<TrainingId, Held>>, hold: Duration) {
    let now = Instant::now();
    let mut workers = workers.lock().unwrap_or_else(PoisonError::into_inner);
    workers.retain(|id, held| {
        let silent = held.worker.silent_since().map(|since| now.duration_since(since));
        let is_over = silent.is_some_and(|silent| silent >= hold);
        if is_over {
            tracing::warn!(training = %id, "nothing was heard of a training for long: it is let go");
        }
        !is_over
    });
}
