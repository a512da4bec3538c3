//! A connected dataset: one for each process that fetches.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use headwater_client::{
    Addresses, BatchPlan, ClientOptions, Dataset, FetchRequest, Finisher, ReportedSample, Retry, RowLayout,
    ServerAddress, Ways,
};
use headwater_pilot::{Headway, PilotError, Sketch, SketchOptions, resources_of, sketch};
use headwater_plan::Cores;
use headwater_types::{
    Address, BitsPerSecond, ByteCount, DatasetName, Epoch, ImageLimits, LimitSetting, PixelCoding, SampleIndex, Way,
};
use numpy::{IntoPyArray as _, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::batches::Batches;
use crate::errors::{self, HeadwaterError, argument};
use crate::network::Network;
use crate::pilot::Pilot;
use crate::plan::Plan;
use crate::process::OfProcess;
use crate::profile::Profile;
use crate::recipe::Recipe;

/// Why there is no profile, and seconds that an epoch is estimated to take.
type Appraised = (Option<String>, f64);

/// Several servers as one dataset.
#[pyclass(frozen, module = "headwater._headwater")]
pub(crate) struct Client(OfProcess<Inner>);

struct Inner {
    // In this order: the dataset's connections end before the threads that they run on.
    dataset: Dataset,
    finisher: Finisher,
    network: Arc<Network>,
}

fn positive(name: &str, value: usize) -> PyResult<NonZeroUsize> {
    NonZeroUsize::new(value).ok_or_else(|| argument(format!("{name} must be at least 1")))
}

fn seconds(name: &str, value: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| argument(format!("{name}={value}: give a number of seconds, 0 or more")))
}

fn bits_per_second(value: f64) -> PyResult<BitsPerSecond> {
    BitsPerSecond::new(value).ok_or_else(|| argument(format!("a bandwidth of {value} bits a second: give more than 0")))
}

/// Bits a second of a text such as 430Mbps.
#[pyfunction]
pub(crate) fn bandwidth(text: &str) -> PyResult<f64> {
    text.parse().map(BitsPerSecond::get).map_err(argument)
}

/// Bytes of a text such as 512MiB.
#[pyfunction]
pub(crate) fn size(text: &str) -> PyResult<u64> {
    text.parse().map(ByteCount::get).map_err(argument)
}

/// A client's own limits; of what is not named here it takes what servers say.
fn own_limits(given: HashMap<String, u64>) -> PyResult<ImageLimits> {
    let mut limits = ImageLimits::of_clients();
    for (name, value) in given {
        let setting = LimitSetting::ALL.into_iter().find(|setting| setting.keyword() == name);
        let setting = setting.ok_or_else(|| argument(format!("there is no limit {name:?}")))?;
        limits.set(setting, value);
    }
    Ok(limits)
}

/// That these are addresses and the name of a dataset: ValueError for what is none, before anything connects.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
pub(crate) fn check_place(servers: Vec<String>, dataset: &str) -> PyResult<()> {
    servers.iter().try_for_each(|text| text.parse::<ServerAddress>().map(drop)).map_err(argument)?;
    dataset.parse::<DatasetName>().map(drop).map_err(argument)
}

// === impl Client ===

impl Client {
    fn inner(&self) -> PyResult<&Inner> {
        self.0.get().ok_or_else(|| {
            HeadwaterError::new_err("a connection does not survive a fork: connect in the process that uses it")
        })
    }
}

#[pymethods]
impl Client {
    #[new]
    #[pyo3(signature = (servers, dataset, *, streams = 2, window = 64 << 20, threads = 0, connect_for = 10.0, patience = 120.0, bandwidth = None, allow_partial = false, limits = HashMap::new(), allow_non_finite = false))]
    #[expect(clippy::too_many_arguments, reason = "settings, named by whoever calls")]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn new(
        py: Python<'_>,
        servers: Vec<String>,
        dataset: &str,
        streams: usize,
        window: u64,
        threads: usize,
        connect_for: f64,
        patience: f64,
        bandwidth: Option<f64>,
        allow_partial: bool,
        limits: HashMap<String, u64>,
        allow_non_finite: bool,
    ) -> PyResult<Self> {
        let servers: Vec<_> = servers.iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(argument)?;
        let name = dataset.parse().map_err(argument)?;
        let defaults = ClientOptions::default();
        let options = ClientOptions {
            streams_per_server: positive("streams", streams)?,
            window: ByteCount::new(window.max(1)),
            cpu_workers: NonZeroUsize::new(threads).unwrap_or(defaults.cpu_workers),
            retry: Retry {
                connect_for: seconds("connect_for", connect_for)?,
                give_up_after: seconds("patience", patience)?,
                ..defaults.retry
            },
            bandwidth: bandwidth.map(bits_per_second).transpose()?,
            allow_partial,
            limits: own_limits(limits)?,
            allow_non_finite,
            ..defaults
        };
        let cannot_start = |error| HeadwaterError::new_err(format!("cannot start threads: {error}"));
        let network = Network::start().map_err(cannot_start)?;
        let finisher = Finisher::with(&options).map_err(cannot_start)?;
        let dataset = network.wait(py, Dataset::connect(&servers, &name, options))?;
        let dataset = dataset.map_err(|error| errors::server(&error))?;
        Ok(Self(OfProcess::new(Inner { dataset, finisher, network: Arc::new(network) })))
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(usize::try_from(self.inner()?.dataset.len()).unwrap_or(usize::MAX))
    }

    #[getter]
    fn digest(&self) -> PyResult<String> {
        Ok(self.inner()?.dataset.digest().to_string())
    }

    /// Of keys and labels only: the same where files were touched or copied.
    #[getter]
    fn names_digest(&self) -> PyResult<String> {
        let digest = self.inner()?.dataset.names_digest();
        Ok(digest.map_err(|error| errors::server(&error))?.to_string())
    }

    /// What somebody who trains on it must know.
    #[getter]
    fn remarks(&self) -> PyResult<Vec<String>> {
        Ok(self.inner()?.dataset.remarks().to_vec())
    }

    /// Keys and labels of all samples, in order: -1 for a sample without a label.
    fn listing<'py>(&self, py: Python<'py>) -> PyResult<(Vec<String>, Bound<'py, PyArray1<i64>>)> {
        let Inner { dataset, network, .. } = self.inner()?;
        let listed = network.wait(py, dataset.listing(0..dataset.len()))?.map_err(|error| errors::server(&error))?;
        let labels: Vec<_> = listed.iter().map(|sample| sample.label.map_or(-1, |label| i64::from(label.0))).collect();
        let keys = listed.into_iter().map(|sample| sample.key.as_str().to_owned()).collect();
        Ok((keys, labels.into_pyarray(py)))
    }

    #[getter]
    fn classes(&self) -> PyResult<Vec<String>> {
        Ok(self.inner()?.dataset.classes().to_vec())
    }

    /// Of each server: address, first index, samples, stored bytes.
    #[getter]
    fn partitions(&self) -> PyResult<Vec<(String, u64, u64, u64)>> {
        let of = |p: &headwater_client::Partition| (p.address.to_string(), p.first, p.samples, p.stored_bytes);
        Ok(self.inner()?.dataset.partitions().iter().map(of).collect())
    }

    /// A model's recipe and the length of its features.
    fn model(&self, name: &str) -> PyResult<(Recipe, u32)> {
        let name = name.parse().map_err(argument)?;
        let model = self.inner()?.dataset.model(&name).map_err(|error| errors::server(&error))?;
        Ok((Recipe::of(model.recipe), model.feature_len))
    }

    /// Measures the dataset a little, and the way to its servers, for a job whose ranks have so many cores together. `told` hears
    /// how many pieces of that are done, and of how many.
    #[expect(clippy::too_many_arguments, reason = "a request, named by whoever calls")]
    fn profile(
        &self,
        py: Python<'_>,
        recipe: &Bound<'_, Recipe>,
        seed: u64,
        epoch: u64,
        cores: f64,
        seconds: Option<f64>,
        told: &Bound<'_, PyAny>,
    ) -> PyResult<(Option<Profile>, Appraised)> {
        let inner = self.inner()?;
        let (dataset, recipe) = (&inner.dataset, &**recipe.get().inner());
        let mut resources = resources_of(dataset);
        resources.trainer_cores =
            Some(Cores::new(cores).ok_or_else(|| argument(format!("{cores} cores: give 0 or more")))?);
        let budget = seconds.map(|time| self::seconds("profile_seconds", time)).transpose()?;
        let options = SketchOptions { budget, ..SketchOptions::default() };
        // An epoch over all of it is the job.
        let samples: Vec<_> = (0..dataset.len()).map(SampleIndex).collect();
        let (reached, mut last) = (Mutex::new(Headway::default()), Headway::default());
        let reach = |headway| *reached.lock().unwrap_or_else(PoisonError::into_inner) = headway;
        let measuring = sketch(dataset, recipe, &options, Address::new(seed, epoch), &samples, &reach);
        let tell = |_: Python<'_>| {
            let now = *reached.lock().unwrap_or_else(PoisonError::into_inner);
            if now != last {
                last = now;
                told.call1((now.done, now.total))?;
            }
            Ok(())
        };
        let (appraisal, sketch) = inner.network.wait_looking(py, measuring, tell)?.map_err(|error| match error {
            PilotError::Client(error) => errors::server(&error),
            other => HeadwaterError::new_err(other.to_string()),
        })?;
        let appraised = (appraisal.reason(), appraisal.job_seconds.unwrap_or_default());
        let Some(Sketch { profile, bandwidth }) = sketch else { return Ok((None, appraised)) };
        resources.bandwidth = bandwidth;
        py.detach(|| Ok((Some(Profile::new(&profile, resources)?), appraised)))
    }

    /// Follows a plan of this profile, as one of so many processes; `cores` where it has not its part of the job's.
    #[pyo3(signature = (profile, *, processes, cores, repeats, learnt))]
    fn pilot(
        &self,
        profile: &Bound<'_, Profile>,
        processes: usize,
        cores: Option<f64>,
        repeats: bool,
        learnt: Option<(f64, Vec<f64>, f64)>,
    ) -> PyResult<Pilot> {
        let Inner { dataset, network, .. } = self.inner()?;
        Pilot::new(profile.get(), (processes, cores), repeats, learnt, dataset, network)
    }

    /// Starts fetching `indices`, in this order, as batches of `sizes`; as of `epoch`, or each as of its own of `epochs`.
    #[pyo3(signature = (indices, sizes, *, recipe, cuts, output, pixels, floats, seed, epoch, model, ahead, epochs = None))]
    #[expect(clippy::too_many_arguments, reason = "a request, named by whoever calls")]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn fetch(
        &self,
        indices: PyReadonlyArray1<'_, u64>,
        sizes: PyReadonlyArray1<'_, u64>,
        recipe: Option<&Bound<'_, Recipe>>,
        cuts: Cuts,
        output: &str,
        pixels: &str,
        floats: bool,
        seed: u64,
        epoch: u64,
        model: Option<&str>,
        ahead: usize,
        epochs: Option<PyReadonlyArray1<'_, u64>>,
    ) -> PyResult<Batches> {
        let inner = self.inner()?;
        let addresses = each_or_all(epochs.as_ref(), Address::new(seed, epoch), indices.len()?)?;
        let indices: Vec<_> = indices.as_array().iter().map(|&index| SampleIndex(index)).collect();
        let sizes = sizes.as_array().iter().map(|&size| usize::try_from(size).unwrap_or(usize::MAX)).collect();
        let recipe = recipe.map(|recipe| Arc::clone(recipe.get().inner()));
        let model = model.map(str::parse).transpose().map_err(argument)?;
        let ways = cuts.ways(pixels.parse().map_err(argument)?, floats)?;
        let (listener, watch) = match &cuts {
            Cuts::Live(pilot) => (Some(pilot.get().listener()?), Some(pilot.get().watch()?)),
            Cuts::All(_) | Cuts::Plan(_) => (None, None),
        };
        let features = ways == Ways::All(Way::FEATURES);
        let layout = match (output, &model, &recipe) {
            _ if features => match &model {
                Some(name) => {
                    let model = inner.dataset.model(name).map_err(|error| errors::server(&error))?;
                    RowLayout::Vector(model.feature_len)
                }
                None => return Err(argument("the cut \"features\" needs a model: give model=NAME")),
            },
            (_, _, None) => return Err(argument("give a recipe: its name, its TOML, or a torchvision Compose")),
            ("tensor", _, Some(recipe)) => RowLayout::Tensor(recipe.output_size()),
            ("pixels", _, Some(recipe)) => RowLayout::Pixels(recipe.output_size()),
            (other, ..) => return Err(argument(format!("there is no output {other:?}: use \"tensor\" or \"pixels\""))),
        };
        let request = FetchRequest {
            indices: indices.into(),
            recipe: recipe.as_deref().filter(|_| !features).cloned(),
            ways,
            floats,
            addresses,
            model: model.filter(|_| features),
            ordered: true,
            measure_cpu: listener.is_some(),
        };
        let plan = BatchPlan { recipe, layout, sizes, ahead: positive("ahead", ahead)?, listener };
        let stream = inner.dataset.fetch_batches(request, inner.finisher.clone(), plan);
        let stream = stream.map_err(|error| errors::server(&error))?;
        Ok(Batches::new(stream, layout, Arc::clone(&inner.network), watch))
    }

    /// Tells the servers the losses of samples: (kept, unknown).
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn report_indices(
        &self,
        py: Python<'_>,
        indices: PyReadonlyArray1<'_, u64>,
        losses: PyReadonlyArray1<'_, f32>,
    ) -> PyResult<(u64, u64)> {
        let which = indices.as_array().iter().map(|&index| ReportedSample::Index(SampleIndex(index))).collect();
        self.report(py, which, &losses)
    }

    /// As above, by key.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn report_keys(
        &self,
        py: Python<'_>,
        keys: Vec<String>,
        losses: PyReadonlyArray1<'_, f32>,
    ) -> PyResult<(u64, u64)> {
        let which =
            keys.iter().map(|key| key.parse().map(ReportedSample::Key)).collect::<Result<_, _>>().map_err(argument)?;
        self.report(py, which, &losses)
    }

    /// What has been fetched so far in this process.
    fn counters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counters = self.inner()?.dataset.counters();
        let failures = PyDict::new(py);
        for (kind, count) in &counters.failures {
            failures.set_item(kind.as_str(), count)?;
        }
        let all = PyDict::new(py);
        all.set_item("samples", counters.samples)?;
        all.set_item("bytes_received", counters.bytes_received)?;
        all.set_item("failures", failures)?;
        all.set_item("retries", counters.retries)?;
        all.set_item("sample_retries", counters.sample_retries)?;
        all.set_item("reconnects", counters.reconnects)?;
        Ok(all)
    }
}

impl Client {
    fn report(
        &self,
        py: Python<'_>,
        which: Vec<ReportedSample>,
        losses: &PyReadonlyArray1<'_, f32>,
    ) -> PyResult<(u64, u64)> {
        let inner = self.inner()?;
        let losses = losses.as_array();
        if losses.len() != which.len() {
            let message = format!("{} samples and {} losses: give one loss for each", which.len(), losses.len());
            return Err(argument(message));
        }
        let told: Vec<_> = which.into_iter().zip(losses.iter().copied()).collect();
        let told = inner.network.wait(py, inner.dataset.report(&told))?.map_err(|error| errors::server(&error))?;
        Ok((told.kept, told.unknown))
    }
}

/// The epoch of each sample of a request, or one for all.
fn each_or_all(each: Option<&PyReadonlyArray1<'_, u64>>, all: Address, samples: usize) -> PyResult<Addresses> {
    let Some(each) = each else { return Ok(all.into()) };
    if each.len()? != samples {
        let message = format!("{} epochs and {samples} indices: give one epoch for each index", each.len()?);
        return Err(argument(message));
    }
    let epochs = each.as_array().iter().map(|&epoch| Epoch(epoch)).collect();
    Ok(Addresses::Each { seed: all.seed, epochs })
}

/// One cut for all samples, by name, or a plan, or one that is planned anew on the way.
#[derive(FromPyObject)]
pub(crate) enum Cuts {
    All(String),
    Plan(Py<Plan>),
    Live(Py<Pilot>),
}

// === impl Cuts ===

impl Cuts {
    /// The ways that a request asks for. `coding` is of one cut for all: a plan says itself how pixels are coded.
    fn ways(&self, coding: PixelCoding, floats: bool) -> PyResult<Ways> {
        match self {
            Self::All(name) => Ok(Way::asked(name.parse().map_err(argument)?, coding, floats).into()),
            Self::Live(pilot) => pilot.get().ways(),
            Self::Plan(plan) => Ok(Ways::PerSample(Arc::clone(&plan.get().ways))),
        }
    }
}
