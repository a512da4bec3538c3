//! What `plan="auto"` plans from: costs and resources, as they were measured. Nothing but data, so that it survives
//! forks, and travels to processes that are spawned.

use std::sync::{Arc, OnceLock};

use headwater_plan::{Algorithm, Cores, Cost, Plan, ProfileBuilder, Provenance, Resources, SampleFacts, Server, plan};
use headwater_types::{BitsPerSecond, Way};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyType;
use serde::{Deserialize, Serialize};

use crate::errors::HeadwaterError;

/// A dataset's costs, and what the job that reads it has to spend: all ranks and workers together.
#[pyclass(frozen, module = "headwater._headwater")]
pub(crate) struct Profile {
    profile: Arc<headwater_plan::Profile>,
    resources: Resources,
    /// Of the whole dataset; made where somebody asks.
    plan: OnceLock<Arc<Plan>>,
}

/// Everything but the numbers of samples.
#[derive(Serialize, Deserialize)]
struct ProfileHeader {
    provenance: Provenance,
    servers: Vec<Server>,
    ways: Vec<Way>,
    resources: Resources,
}

/// A profile's columns, `[samples, ways]` row by row: bytes, and CPU seconds of servers and trainer. Seconds have 32
/// bits: more digits than can be measured.
struct Columns {
    bytes: Vec<u32>,
    storage: Vec<f32>,
    trainer: Vec<f32>,
}

/// What a profile is pickled as: a way to make it, and what that takes.
type Pickled<'py> =
    (Bound<'py, PyAny>, (String, Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<f32>>, Bound<'py, PyArray1<f32>>));

// === impl Profile ===

impl Profile {
    /// A profile of what was measured. Its seconds are rounded as they are pickled, so that plans are the same wherever
    /// they are made.
    pub(crate) fn new(measured: &headwater_plan::Profile, resources: Resources) -> PyResult<Self> {
        Self::of(ProfileHeader::new(measured, resources), &Columns::of(measured))
    }

    fn of(head: ProfileHeader, columns: &Columns) -> PyResult<Self> {
        let broken =
            |error: &dyn std::fmt::Display| HeadwaterError::new_err(format!("this profile is broken: {error}"));
        let ProfileHeader { provenance, servers, ways, resources } = head;
        let width = ways.len();
        let mut builder = ProfileBuilder::new(provenance, servers, ways).map_err(|error| broken(&error))?;
        let Columns { bytes, storage, trainer } = columns;
        if bytes.len() != storage.len() || bytes.len() != trainer.len() {
            return Err(broken(&"its columns differ in length"));
        }
        let rows = bytes.chunks(width).zip(storage.chunks(width)).zip(trainer.chunks(width));
        for ((bytes, storage), trainer) in rows {
            let cost = |((&bytes, &storage), &trainer): ((&u32, &f32), &f32)| Cost {
                bytes: bytes.into(),
                storage_seconds: storage.into(),
                trainer_seconds: trainer.into(),
            };
            let costs: Vec<_> = bytes.iter().zip(storage).zip(trainer).map(cost).collect();
            builder.push(&SampleFacts::default(), &costs).map_err(|error| broken(&error))?;
        }
        let profile = Arc::new(builder.finish().map_err(|error| broken(&error))?);
        Ok(Self { profile, resources, plan: OnceLock::new() })
    }

    pub(crate) fn costs(&self) -> &Arc<headwater_plan::Profile> {
        &self.profile
    }

    /// What one of so many equal processes has; with `cores` of its own, where they are not its part of the job's.
    pub(crate) fn share(&self, processes: usize, cores: Option<f64>) -> Resources {
        let part = |whole: f64| whole / processes.max(1) as f64;
        let mut resources = self.resources.clone();
        let bandwidth = |whole: Option<BitsPerSecond>| whole.and_then(|whole| BitsPerSecond::new(part(whole.get())));
        resources.bandwidth = bandwidth(resources.bandwidth);
        resources.trainer_cores = match cores {
            Some(cores) => Cores::new(cores),
            None => resources.trainer_cores.and_then(|whole| Cores::new(part(whole.get()))),
        };
        for server in &mut resources.servers {
            server.cores = Cores::new(part(server.cores.get())).unwrap_or(server.cores);
            server.bandwidth = bandwidth(server.bandwidth);
        }
        resources
    }

    /// The plan for the whole dataset, if it was made and is for processes with such a share: processes that all have
    /// the same share plan alike.
    pub(crate) fn plan_for(&self, share: &Resources, processes: usize) -> Option<Arc<Plan>> {
        let plan = self.plan.get()?;
        (*share == self.share(processes, None)).then(|| Arc::clone(plan))
    }

    fn whole(&self) -> PyResult<&Plan> {
        if self.plan.get().is_none() {
            let plan = plan(&self.profile, &self.resources, &[], Algorithm::Optimal);
            let plan = plan.map_err(|error| HeadwaterError::new_err(error.to_string()))?;
            // Who was first made the same.
            drop(self.plan.set(Arc::new(plan)));
        }
        self.plan.get().map(Arc::as_ref).ok_or_else(|| HeadwaterError::new_err("a plan that was made is gone"))
    }
}

#[pymethods]
impl Profile {
    /// Samples, and those of them that were measured.
    #[getter]
    fn samples(&self) -> (usize, u64) {
        (self.profile.len(), self.profile.provenance().measured)
    }

    /// Servers.
    #[getter]
    fn servers(&self) -> usize {
        self.profile.servers().len()
    }

    /// Of the whole dataset: samples of each way that has any, and the epoch's predicted seconds.
    fn plan(&self, py: Python<'_>) -> PyResult<(Vec<(String, u64)>, f64)> {
        py.detach(|| {
            let plan = self.whole()?;
            let counts = plan.counts().into_iter().map(|(way, count)| (way.to_string(), count)).collect();
            Ok((counts, plan.prediction.epoch))
        })
    }

    /// Makes a profile of what one was pickled as.
    #[classmethod]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn unpickle(
        _class: &Bound<'_, PyType>,
        head: &str,
        bytes: PyReadonlyArray1<'_, u32>,
        storage: PyReadonlyArray1<'_, f32>,
        trainer: PyReadonlyArray1<'_, f32>,
    ) -> PyResult<Self> {
        let head = serde_json::from_str(head);
        let head = head.map_err(|error| HeadwaterError::new_err(format!("this profile is broken: {error}")))?;
        let columns = Columns {
            bytes: bytes.as_array().to_vec(),
            storage: storage.as_array().to_vec(),
            trainer: trainer.as_array().to_vec(),
        };
        Self::of(head, &columns)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        let head = serde_json::to_string(&ProfileHeader::new(&self.profile, self.resources.clone()));
        let head = head.map_err(|error| HeadwaterError::new_err(error.to_string()))?;
        let Columns { bytes, storage, trainer } = Columns::of(&self.profile);
        let columns =
            (head, PyArray1::from_vec(py, bytes), PyArray1::from_vec(py, storage), PyArray1::from_vec(py, trainer));
        Ok((py.get_type::<Self>().getattr("unpickle")?, columns))
    }
}

// === impl ProfileHeader ===

impl ProfileHeader {
    fn new(profile: &headwater_plan::Profile, resources: Resources) -> Self {
        Self {
            provenance: profile.provenance().clone(),
            servers: profile.servers().to_vec(),
            ways: profile.ways().to_vec(),
            resources,
        }
    }
}

// === impl Columns ===

impl Columns {
    fn of(profile: &headwater_plan::Profile) -> Self {
        let (samples, ways) = (profile.len(), profile.ways().len());
        let numbers = samples * ways;
        let mut columns = Self {
            bytes: Vec::with_capacity(numbers),
            storage: Vec::with_capacity(numbers),
            trainer: Vec::with_capacity(numbers),
        };
        for cost in (0..samples).flat_map(|sample| (0..ways).filter_map(move |way| profile.cost(sample, way))) {
            columns.bytes.push(u32::try_from(cost.bytes).unwrap_or(u32::MAX));
            columns.storage.push(cost.storage_seconds as f32);
            columns.trainer.push(cost.trainer_seconds as f32);
        }
        columns
    }
}
