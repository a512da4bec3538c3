//! A pass that servers have been told of.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use headwater_client::{Announced, Dataset, Pass, PassOrder};
use headwater_types::Address;
use headwater_types::caps::MAX_ANNOUNCED_CHOICE;
use pyo3::prelude::*;

use crate::errors::argument;
use crate::network::Network;
use crate::process::OfProcess;
use crate::transport::seconds;

/// A pass under way, of which servers are told until it is closed or dropped.
#[pyclass(frozen, module = "headwater._headwater")]
pub(crate) struct Announcement(OfProcess<Inner>);

struct Inner {
    /// `None` once it was closed.
    announced: Mutex<Option<Announced>>,
    network: Arc<Network>,
}

/// How long a server's answer to the last word is waited for.
const LAST_WORD: Duration = Duration::from_secs(1);

/// The attributes of Python's `PassOrder`.
#[derive(FromPyObject)]
pub(crate) struct Order {
    seed: u64,
    epoch: u64,
    shuffle: bool,
    choice: Option<Vec<u64>>,
    repeats: bool,
    position: u64,
}

// === impl Order ===

impl Order {
    /// The order; `None` where its choice is longer than servers take.
    fn of_pass(self) -> Option<PassOrder> {
        let Self { seed, epoch, shuffle, choice, repeats, position } = self;
        if choice.as_ref().is_some_and(|choice| choice.len() > MAX_ANNOUNCED_CHOICE) {
            return None;
        }
        let (address, choice) = (Address::new(seed, epoch), choice.map(Arc::new));
        Some(PassOrder { address, shuffle, choice, repeats, position })
    }
}

// === impl Announcement ===

impl Announcement {
    /// Announces a pass of this rank of a job.
    pub(crate) fn new(
        (dataset, network): (&Dataset, &Arc<Network>),
        job: &str,
        rank: u32,
        lease: f64,
        order: Option<Order>,
    ) -> PyResult<Self> {
        let job = job.parse().map_err(argument)?;
        let (lease, order) = (seconds("lease", lease)?, order.and_then(Order::of_pass));
        let announced = dataset.announce(&Pass { job, rank, lease, order });
        Ok(Self(OfProcess::new(Inner { announced: Mutex::new(Some(announced)), network: Arc::clone(network) })))
    }

    fn take(&self) -> Option<(Announced, &Network)> {
        let inner = self.0.get()?;
        let announced = inner.announced.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some((announced, &*inner.network))
    }
}

#[pymethods]
impl Announcement {
    /// What is before this position is done.
    fn reached(&self, position: u64) {
        let Some(inner) = self.0.get() else { return };
        if let Some(announced) = &*inner.announced.lock().unwrap_or_else(PoisonError::into_inner) {
            announced.reached(position);
        }
    }

    /// The pass has ended at this position, and the job says nothing more for so many seconds.
    fn rest(&self, py: Python<'_>, position: u64, lease: f64) -> PyResult<()> {
        let lease = seconds("lease", lease)?;
        match self.take() {
            Some((announced, network)) => network.wait(py, announced.rest(position, lease, LAST_WORD)),
            None => Ok(()),
        }
    }

    /// The rank is done for good.
    fn end(&self, py: Python<'_>) -> PyResult<()> {
        match self.take() {
            Some((announced, network)) => network.wait(py, announced.end(LAST_WORD)),
            None => Ok(()),
        }
    }
}
