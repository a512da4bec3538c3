//! A connected dataset: one for each process that fetches.

use std::sync::Arc;

use headwater_client::{BatchPlan, Dataset, FetchRequest, Finisher, ReportedSample};
use headwater_types::differences::count;
use headwater_types::{Digest, SampleIndex};
use numpy::{IntoPyArray as _, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::announced::{Announcement, Order};
use crate::batches::Batches;
use crate::columns;
use crate::cuts::Cuts;
use crate::epochs::Epochs;
use crate::errors::{self, HeadwaterError, argument};
use crate::losses::{self, Kept};
use crate::names::Name;
use crate::network::Network;
use crate::pilot::Pilot;
use crate::process::OfProcess;
use crate::profile::Profile;
use crate::reading::Reading;
use crate::recipe::Recipe;
use crate::sketch::{self, Sketched};
use crate::texts;
use crate::traces::{self, Caller};
use crate::transport::{Transport, positive};

/// Several servers as one dataset.
#[pyclass(frozen, module = "headwater._headwater")]
pub(crate) struct Client(OfProcess<Inner>);

struct Inner {
    // In this order: the dataset's connections end before the threads that they run on.
    dataset: Dataset,
    finisher: Finisher,
    network: Arc<Network>,
}

/// Keys, labels, and a list for each field.
type Described<'py> = (Vec<Name>, Bound<'py, PyArray1<i64>>, Vec<Bound<'py, PyList>>);

// === impl Client ===

impl Client {
    fn inner(&self) -> PyResult<&Inner> {
        self.0.get().ok_or_else(|| {
            HeadwaterError::new_err("a connection does not survive a fork: connect in the process that uses it")
        })
    }
}

fn parse_digests(texts: Vec<String>) -> PyResult<Vec<Digest>> {
    texts.into_iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(argument)
}

#[pymethods]
impl Client {
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    #[pyo3(signature = (servers, dataset, transport, generation = None))]
    fn new(
        py: Python<'_>,
        servers: Vec<String>,
        dataset: &str,
        transport: Transport,
        generation: Option<Vec<String>>,
    ) -> PyResult<Self> {
        let servers = texts::servers(&servers)?;
        let name = dataset.parse().map_err(argument)?;
        let generation = generation.map(parse_digests).transpose()?;
        let options = transport.options(py)?;
        let cannot_start = |error| HeadwaterError::new_err(format!("cannot start threads: {error}"));
        let network = Network::start().map_err(cannot_start)?;
        let finisher = Finisher::with(&options).map_err(cannot_start)?;
        let dataset = network.wait(py, Dataset::connect_to(&servers, &name, generation.as_deref(), options))?;
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

    /// The digests of the partitions, in order: by these the generation is known.
    #[getter]
    fn generation(&self) -> PyResult<Vec<String>> {
        Ok(self.inner()?.dataset.partitions().iter().map(|partition| partition.digest.to_string()).collect())
    }

    /// Where each sample of an earlier generation is in this one: `u64::MAX` for a sample that is gone. With it, how
    /// many samples of this one are new, and how many have another photo or label than they had.
    fn moved<'py>(&self, py: Python<'py>, earlier: Vec<String>) -> PyResult<(Bound<'py, PyArray1<u64>>, u64, u64)> {
        let Inner { dataset, network, .. } = self.inner()?;
        let earlier = parse_digests(earlier)?;
        let differences = network.wait(py, dataset.differences(&earlier))?.map_err(|error| errors::server(&error))?;
        let (removed, added) = (count(&differences.removed), count(&differences.added));
        let (mapping, samples) = (differences.mapping(), dataset.len() + removed - added);
        let places: Vec<_> = (0..samples).map(|index| mapping.get(index).unwrap_or(u64::MAX)).collect();
        Ok((places.into_pyarray(py), added, count(&differences.replaced)))
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
    fn listing<'py>(&self, py: Python<'py>) -> PyResult<(Vec<Name>, Bound<'py, PyArray1<i64>>)> {
        let Inner { dataset, network, .. } = self.inner()?;
        let listed = network.wait(py, dataset.listing(0..dataset.len()))?.map_err(|error| errors::server(&error))?;
        let labels: Vec<_> = listed.iter().map(|sample| sample.label.map_or(-1, |label| i64::from(label.0))).collect();
        let keys = listed.iter().map(|sample| Name::from(sample.key.as_str())).collect();
        Ok((keys, labels.into_pyarray(py)))
    }

    /// Keys, labels and the values of these fields, each a list, of single samples.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn described<'py>(
        &self,
        py: Python<'py>,
        indices: PyReadonlyArray1<'py, u64>,
        fields: Vec<String>,
    ) -> PyResult<Described<'py>> {
        let Inner { dataset, network, .. } = self.inner()?;
        let indices: Vec<_> = indices.as_slice()?.iter().map(|index| SampleIndex(*index)).collect();
        let listed = network.wait(py, dataset.described(&indices, &fields))?.map_err(|error| errors::server(&error))?;
        let labels: Vec<_> = listed.iter().map(|sample| sample.label.map_or(-1, |label| i64::from(label.0))).collect();
        let keys = listed.iter().map(|sample| Name::from(sample.key.as_str())).collect();
        let columns = columns::of_values(py, listed.into_iter().map(|sample| sample.fields), fields.len())?;
        Ok((keys, labels.into_pyarray(py), columns))
    }

    #[getter]
    fn classes(&self) -> PyResult<Vec<Name>> {
        Ok(self.inner()?.dataset.classes().iter().map(|class| Name::from(class.as_str())).collect())
    }

    /// Name and kind of each field that samples have on all servers.
    #[getter]
    fn fields(&self) -> PyResult<Vec<(String, &'static str)>> {
        let fields = self.inner()?.dataset.fields();
        Ok(fields.into_iter().map(|field| (field.name, field.kind.as_str())).collect())
    }

    /// Of each partition: address, first index, samples, stored bytes.
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

    /// Measures the dataset a little, and the way to its servers, for a job whose ranks have so many cores together.
    fn profile(
        &self,
        py: Python<'_>,
        recipe: &Bound<'_, Recipe>,
        seed: u64,
        cores: f64,
        seconds: Option<f64>,
        on_progress: &Bound<'_, PyAny>,
    ) -> PyResult<Sketched> {
        let Inner { dataset, network, .. } = self.inner()?;
        sketch::measure(py, (dataset, network), recipe.get().inner(), seed, (cores, seconds), on_progress)
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

    /// Starts fetching `indices`, in this order, as batches of `sizes`. `caller`: the trace in which the reader is, as
    /// `traceparent` and `tracestate`.
    #[pyo3(signature = (indices, sizes, reading, *, cuts, epochs, ahead, caller = None))]
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    #[expect(clippy::too_many_arguments, reason = "four of them are keywords in Python")]
    fn fetch(
        &self,
        indices: PyReadonlyArray1<'_, u64>,
        sizes: PyReadonlyArray1<'_, u64>,
        reading: Reading,
        cuts: Cuts,
        epochs: Epochs<'_>,
        ahead: usize,
        caller: Option<Caller>,
    ) -> PyResult<Batches> {
        let Inner { dataset, finisher, network } = self.inner()?;
        let indices: Vec<_> = indices.as_array().iter().map(|&index| SampleIndex(index)).collect();
        let sizes = sizes.as_array().iter().map(|&size| usize::try_from(size).unwrap_or(usize::MAX)).collect();
        let addresses = epochs.addresses(reading.seed, indices.len())?;
        let ways = cuts.ways(&reading.pixels, reading.floats)?;
        let (request, layout) = reading.request(dataset, indices, ways, addresses)?;
        let listener = cuts.listener()?;
        let caller = traces::caller(caller);
        let request = FetchRequest { measure_cpu: listener.is_some(), caller, ..request };
        let plan = BatchPlan { recipe: reading.recipe(), layout, sizes, ahead: positive("ahead", ahead)?, listener };
        let fields = request.fields.len();
        let stream = dataset.fetch_batches(request, finisher.clone(), plan).map_err(|error| errors::server(&error))?;
        Ok(Batches::new(stream, (layout, fields), Arc::clone(network), cuts.watch()?))
    }

    /// Says which job reads: its calls name it from here on.
    fn join(&self, job: &str) -> PyResult<()> {
        self.inner()?.dataset.join(&job.parse().map_err(argument)?);
        Ok(())
    }

    /// Announces a pass of a rank of a job, whose lease is of so many seconds; `order`: None where nobody can compute
    /// it.
    #[pyo3(signature = (job, rank, lease, order))]
    fn announce(&self, job: &str, rank: u32, lease: f64, order: Option<Order>) -> PyResult<Announcement> {
        let Inner { dataset, network, .. } = self.inner()?;
        Announcement::new((dataset, network), job, rank, lease, order)
    }

    /// Whether each of these samples is in its server's cache.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn cached<'py>(&self, py: Python<'py>, indices: PyReadonlyArray1<'_, u64>) -> PyResult<Bound<'py, PyArray1<bool>>> {
        let Inner { dataset, network, .. } = self.inner()?;
        let indices: Vec<_> = indices.as_array().to_vec();
        let cached = network.wait(py, dataset.cached(&indices))?.map_err(|error| errors::server(&error))?;
        Ok(cached.into_pyarray(py))
    }

    /// Whether each of these samples is of low importance to the job that reads, and of how many samples of the whole
    /// dataset that job has reported a loss.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn low<'py>(
        &self,
        py: Python<'py>,
        share: f64,
        indices: PyReadonlyArray1<'_, u64>,
    ) -> PyResult<(Bound<'py, PyArray1<bool>>, u64)> {
        let Inner { dataset, network, .. } = self.inner()?;
        let indices: Vec<_> = indices.as_array().to_vec();
        let found = network.wait(py, dataset.low(share, &indices))?.map_err(|error| errors::server(&error))?;
        Ok((found.low.into_pyarray(py), found.known))
    }

    /// Tells the servers in which samples' places others are given: how many of these they heard of.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn replaced(&self, py: Python<'_>, indices: PyReadonlyArray1<'_, u64>) -> PyResult<u64> {
        let Inner { dataset, network, .. } = self.inner()?;
        let indices: Vec<_> = indices.as_array().to_vec();
        network.wait(py, dataset.replaced(&indices))
    }

    /// Tells the servers the losses of the samples of these indices.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn report_indices(
        &self,
        py: Python<'_>,
        indices: PyReadonlyArray1<'_, u64>,
        losses: PyReadonlyArray1<'_, f32>,
    ) -> PyResult<Kept> {
        let Inner { dataset, network, .. } = self.inner()?;
        let samples = indices.as_array().iter().map(|&index| ReportedSample::Index(SampleIndex(index))).collect();
        losses::report(py, (dataset, network), samples, &losses)
    }

    /// Tells the servers the losses of the samples of these keys.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn report_keys(&self, py: Python<'_>, keys: Vec<Name>, losses: PyReadonlyArray1<'_, f32>) -> PyResult<Kept> {
        let Inner { dataset, network, .. } = self.inner()?;
        let samples: PyResult<_> = keys.into_iter().map(|name| name.key().map(ReportedSample::Key)).collect();
        losses::report(py, (dataset, network), samples?, &losses)
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
        all.set_item("hedged", counters.hedged)?;
        all.set_item("hedges_won", counters.hedges_won)?;
        all.set_item("announcements", counters.announcements)?;
        all.set_item("announcements_unheard", counters.announcements_unheard)?;
        all.set_item("reports_unheard", counters.reports_unheard)?;
        Ok(all)
    }
}
