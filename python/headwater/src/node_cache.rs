//! A cache that the processes of a node share, as one of them holds it: see `cached.py`.

use std::os::fd::IntoRawFd as _;
use std::path::PathBuf;

use headwater_cache::node::{Found, Kept, Lead, Node, NodeCounts, NodeError, NodeSettings, SampleLayout};
use headwater_policy::{PolicyName, Tier};
use headwater_types::ByteCount;
use numpy::{PyArray1, PyArrayMethods as _, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::{CacheError, argument};
use crate::process::OfProcess;

/// Bytes from which a value in memory is mapped, and not copied: each mapping keeps a file open, so that only few may
/// be alive at once.
const MAPPED: usize = 4 << 20;

/// A hold on a cache. It leaves with the last reference; in a process that was forked it does nothing.
#[pyclass(frozen, module = "headwater._headwater")]
pub(crate) struct NodeCache {
    node: OfProcess<Node>,
    empty: Py<PyAny>,
}

/// Places of a value's parts.
type Spans = ((usize, usize), Vec<(usize, usize)>);

#[pymethods]
impl NodeCache {
    #[new]
    #[pyo3(signature = (shared_memory, name, dataset, memory, ssd, policy))]
    fn new(
        py: Python<'_>,
        shared_memory: PathBuf,
        name: String,
        dataset: (u64, Vec<String>),
        memory: u64,
        ssd: Option<(PathBuf, u64)>,
        policy: Option<&str>,
    ) -> PyResult<Self> {
        let policy = policy.map(str::parse::<PolicyName>).transpose().map_err(argument)?;
        let ((samples, dataset), memory) = (dataset, ByteCount::new(memory));
        let ssd = ssd.map(|(path, bytes)| (path, ByteCount::new(bytes)));
        let settings = NodeSettings { shared_memory, name, samples, dataset, memory, ssd, policy };
        let node = py.detach(|| Node::open(&settings)).map_err(|error| problem(&error))?;
        Ok(Self { node: OfProcess::new(node), empty: py.import("numpy")?.getattr("empty")?.unbind() })
    }

    /// The value of a sample: its bytes as an array, or the descriptor of its file and None where it is large; and the
    /// places of its parts. None where it is not here.
    fn find<'py>(&self, py: Python<'py>, index: u64, waited: bool) -> PyResult<Option<(Bound<'py, PyAny>, Spans)>> {
        let node = self.node()?;
        let found = match node.find(index) {
            None => return Ok(None),
            Some(Found::InMemory(value)) if value.length() < MAPPED => {
                let array = self.empty.bind(py).call1((value.length(), "u1"))?.cast_into::<PyArray1<u8>>()?;
                let layout = value.read(array.readwrite().as_slice_mut().map_err(argument)?);
                layout.map(|layout| (array.into_any(), layout))
            }
            Some(Found::InMemory(value)) => match value.into_file() {
                Some((layout, file)) => Some((file.into_raw_fd().into_pyobject(py)?.into_any(), layout)),
                None => None,
            },
            Some(Found::OnSsd(bytes, layout)) => {
                let told = py.detach(|| node.hit(index, Some(&bytes), waited));
                told.map_err(|error| problem(&error))?;
                return Ok(Some((PyArray1::from_vec(py, bytes).into_any(), spans(layout))));
            }
        };
        match found {
            Some((value, layout)) => {
                node.hit(index, None, waited).map_err(|error| problem(&error))?;
                Ok(Some((value, spans(layout))))
            }
            None => {
                node.broken(index, Tier::Memory);
                Ok(None)
            }
        }
    }

    /// Who reads a sample that is absent: "mine", "theirs", or "there" where it is not absent any more.
    fn lead(&self, index: u64) -> PyResult<&'static str> {
        let lead = self.node()?.lead(index).map_err(|error| problem(&error))?;
        Ok(match lead {
            Lead::Mine => "mine",
            Lead::There => "there",
            Lead::Theirs => "theirs",
        })
    }

    /// The sample is read from its origin: counts that.
    fn origin(&self, index: u64) -> PyResult<()> {
        self.node()?.origin(index).map_err(|error| problem(&error))
    }

    /// The cache was not waited for: counts that.
    fn busy(&self) -> PyResult<()> {
        self.node()?.busy();
        Ok(())
    }

    /// The sample is not to be kept, after all.
    fn abandon(&self, index: u64) -> PyResult<()> {
        self.node()?.abandon(index).map_err(|error| problem(&error))
    }

    /// Keeps a sample's pickle and its buffers; whether it is in the cache now.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn put(
        &self,
        py: Python<'_>,
        index: u64,
        pickle: PyReadonlyArray1<'_, u8>,
        buffers: Vec<PyReadonlyArray1<'_, u8>>,
        seconds: f32,
    ) -> PyResult<bool> {
        let (node, pickle) = (self.node()?, pickle.as_slice().map_err(argument)?);
        let buffers = buffers.iter().map(|one| one.as_slice()).collect::<Result<Vec<_>, _>>().map_err(argument)?;
        let kept = py.detach(|| node.put(index, pickle, &buffers, seconds));
        let kept = kept.map_err(|error| problem(&error))?;
        Ok(matches!(kept, Kept::InMemory | Kept::OnSsd | Kept::Already))
    }

    /// The order of the samples that come next.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn announce(&self, py: Python<'_>, order: PyReadonlyArray1<'_, u64>) -> PyResult<()> {
        let (node, order) = (self.node()?, order.as_slice().map_err(argument)?.to_vec());
        py.detach(|| node.announce(&order)).map_err(|error| problem(&error))
    }

    /// The losses of samples.
    #[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
    fn report(&self, indices: PyReadonlyArray1<'_, u64>, losses: PyReadonlyArray1<'_, f32>) -> PyResult<()> {
        let losses = losses.as_array();
        let both = indices.as_array().iter().copied().zip(losses.iter().copied()).collect::<Vec<_>>();
        self.node()?.report(both.into_iter()).map_err(|error| problem(&error))
    }

    /// What the system refused since this was asked last.
    fn refused(&self) -> PyResult<Option<String>> {
        Ok(self.node()?.refused())
    }

    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (counts, dict): (NodeCounts, _) =
            (self.node()?.counts().map_err(|error| problem(&error))?, PyDict::new(py));
        counts.iter().try_for_each(|(name, number)| dict.set_item(name, number))?;
        Ok(dict)
    }

    /// Bytes, limit and entries of memory and of the SSD.
    fn usage(&self) -> PyResult<Vec<(u64, u64, u64)>> {
        let usage = self.node()?.usage().map_err(|error| problem(&error))?;
        Ok(usage.into_iter().map(|one| (one.bytes.get(), one.limit.get(), one.entries)).collect())
    }

    fn policy(&self) -> PyResult<&'static str> {
        Ok(self.node()?.policy().map_err(|error| problem(&error))?.name())
    }
}

impl NodeCache {
    fn node(&self) -> PyResult<&Node> {
        self.node.get().ok_or_else(|| CacheError::new_err("this cache was opened in another process"))
    }
}

/// Removes what dead jobs of this user left in memory; the number of caches.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "PyO3 gives arguments by value")]
pub(crate) fn remove_orphans(shared_memory: PathBuf) -> PyResult<u64> {
    headwater_cache::node::remove_orphans(&shared_memory).map_err(|error| problem(&error))
}

/// Bytes of memory that a cache of so many samples takes for itself.
#[pyfunction]
pub(crate) fn cache_table_bytes(samples: u64) -> u64 {
    headwater_cache::node::table_bytes(samples)
}

fn spans(layout: SampleLayout) -> Spans {
    let pair = |range: std::ops::Range<usize>| (range.start, range.end);
    (pair(layout.pickle), layout.buffers.into_iter().map(pair).collect())
}

fn problem(error: &NodeError) -> PyErr {
    CacheError::new_err(error.to_string())
}
