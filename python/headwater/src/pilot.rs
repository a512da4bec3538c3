//! A plan that this process follows, watches, and plans anew.

use std::sync::{Arc, OnceLock};

use headwater_client::{Dataset, Listener, Ways};
use headwater_pilot::{Autopilot, AutopilotOptions, Learnt, PilotError, Steering};
use headwater_plan::Plan;
use headwater_types::{BitsPerSecond, SampleIndex};
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tokio::task::JoinHandle;

use crate::errors::HeadwaterError;
use crate::network::Network;
use crate::process::OfProcess;
use crate::profile::Profile;

/// How this process's samples travel, as long as it lives: epoch after epoch, it keeps what it has learnt.
#[pyclass(frozen, module = "headwater._headwater")]
pub(crate) struct Pilot(OfProcess<Inner>);

struct Inner {
    steering: Steering,
    /// The plan that was made for all processes, where it may be followed until something is learnt.
    planned: Option<Arc<Plan>>,
    watch: Arc<Watch>,
    network: Arc<Network>,
}

/// Watches beside the streams, until it is dropped.
pub(crate) struct Watch {
    task: JoinHandle<()>,
    failed: Arc<OnceLock<PilotError>>,
}

/// What runs have learnt: bits per second (0: more than matters), factors of the servers' CPU seconds, and of
/// finishing.
type Lesson = (f64, Vec<f64>, f64);

fn raised(error: &PilotError) -> PyErr {
    HeadwaterError::new_err(format!("plan=\"auto\": {error}"))
}

// === impl Pilot ===

impl Pilot {
    /// One of so many processes, with `cores` where they are not its part of the job's.
    pub(crate) fn new(
        profile: &Profile,
        (processes, cores): (usize, Option<f64>),
        repeats: bool,
        learnt: Option<Lesson>,
        dataset: &Dataset,
        network: &Arc<Network>,
    ) -> PyResult<Self> {
        let share = profile.share(processes, cores);
        let planned = profile.plan_for(&share, processes);
        let options = AutopilotOptions { repeats, ..AutopilotOptions::default() };
        let autopilot = Autopilot::idle(Arc::clone(profile.costs()), share, options);
        let mut autopilot = autopilot.map_err(|error| raised(&error))?;
        if let Some((bandwidth, storage, trainer)) = learnt {
            autopilot.believe(&Learnt { bandwidth: BitsPerSecond::new(bandwidth), storage, trainer });
        }
        let steering = Steering::piloted(autopilot);
        let watch = Arc::new(Watch::start(network, steering.clone(), dataset.clone()));
        Ok(Self(OfProcess::new(Inner { steering, planned, watch, network: Arc::clone(network) })))
    }

    fn inner(&self) -> PyResult<&Inner> {
        self.0.get().ok_or_else(|| {
            HeadwaterError::new_err(
                "a plan that is followed does not survive a fork: make one in the process that reads",
            )
        })
    }

    /// The ways that a request asks for.
    pub(crate) fn ways(&self) -> PyResult<Ways> {
        Ok(self.inner()?.steering.ways())
    }

    /// The listener that hears how batches come.
    pub(crate) fn listener(&self) -> PyResult<Arc<dyn Listener>> {
        Ok(Arc::new(self.inner()?.steering.clone()))
    }

    /// The watch beside the streams, which may fail.
    pub(crate) fn watch(&self) -> PyResult<Arc<Watch>> {
        Ok(Arc::clone(&self.inner()?.watch))
    }
}

#[pymethods]
impl Pilot {
    /// Begins an epoch over these samples; `like_all`: as far as plans go they are like the whole dataset.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn begin(&self, py: Python<'_>, indices: PyReadonlyArray1<'_, u64>, like_all: bool) -> PyResult<()> {
        let inner = self.inner()?;
        let samples: Vec<_> = indices.as_array().iter().map(|&index| SampleIndex(index)).collect();
        let done = match &inner.planned {
            Some(plan) if like_all && inner.steering.learnt().is_none() => {
                py.detach(|| inner.steering.follow(plan, &samples))
            }
            _ => inner.network.wait(py, inner.steering.begin(&samples))?,
        };
        done.map_err(|error| raised(&error))
    }

    /// Changes of plan from the one of this number on.
    fn replans<'py>(&self, py: Python<'py>, since: usize) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let replans = self.inner()?.steering.replans();
        let given = replans.iter().skip(since).map(|replan| {
            let all = PyDict::new(py);
            all.set_item("at", replan.at)?;
            all.set_item("left", replan.left)?;
            all.set_item("moved", replan.moved)?;
            all.set_item("predicted_rest", replan.predicted_rest)?;
            all.set_item("seen_bandwidth", replan.seen_bandwidth)?;
            all.set_item("seen_storage_cpu", replan.seen_storage_cpu.clone())?;
            all.set_item("seen_trainer_cpu", replan.seen_trainer_cpu)?;
            Ok(all)
        });
        given.collect()
    }

    /// What was learnt until now.
    fn learnt(&self) -> PyResult<Option<Lesson>> {
        let learnt = self.inner()?.steering.learnt();
        Ok(learnt.map(|Learnt { bandwidth, storage, trainer }| {
            (bandwidth.map_or(0.0, BitsPerSecond::get), storage, trainer)
        }))
    }
}

// === impl Watch ===

impl Watch {
    fn start(network: &Network, steering: Steering, dataset: Dataset) -> Self {
        let failed = Arc::new(OnceLock::new());
        let noted = Arc::clone(&failed);
        let task = network.spawn(async move {
            if let Err(error) = steering.watch(&dataset).await {
                // The task ends here, so that no other error was noted before.
                drop(noted.set(error));
            }
        });
        Self { task, failed }
    }

    /// Raises what went wrong.
    pub(crate) fn check(&self) -> PyResult<()> {
        self.failed.get().map_or(Ok(()), |error| Err(raised(error)))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}
