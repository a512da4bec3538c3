//! One dataset of a server: its name, how it is, its generations, and how its last listing went.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use std::time::{Duration, SystemTime};

use headwater_store::{Fetched, Past, Step};
use headwater_types::{ByteCount, DatasetName, Differences, Digest, Partition};
use headwater_wire::status::Refusal;

use crate::doing::Doing;
use crate::generation::Generation;
use crate::generations::Generations;
use crate::listings::Listings;

/// A dataset that the server was given.
pub(crate) struct Served {
    pub(crate) name: DatasetName,
    /// The part of the dataset that is listed.
    pub(crate) part: Partition,
    /// The setting that it comes from, which its errors begin with.
    pub(crate) setting: String,
    /// What is read of its source, by the stores of all of its generations.
    pub(crate) fetched: Fetched,
    state: Mutex<State>,
    listings: Mutex<Listings>,
}

/// How a dataset is, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is being opened or listed for the first time.
    Starting(String),
    /// It cannot be served, for this reason.
    NotReady(String),
    Serving,
}

enum State {
    Starting(Doing),
    NotReady(String),
    Serving(Generations),
}

// === impl Served ===

impl Served {
    /// A dataset that is not open yet.
    pub(crate) fn new(name: DatasetName, part: Partition, setting: String) -> Self {
        let state = State::Starting(Doing::step(format!("opening the dataset {name}")));
        let fetched = Fetched::default();
        Self { name, part, setting, fetched, state: Mutex::new(state), listings: Mutex::default() }
    }

    /// Begins the next step of starting.
    pub(crate) fn begin(&self, doing: Doing) {
        tracing::debug!(dataset = %self.name, %doing, "starting");
        *self.lock() = State::Starting(doing);
    }

    /// Says that the dataset cannot be served.
    pub(crate) fn fail(&self, reason: String) {
        *self.lock() = State::NotReady(reason);
    }

    /// Serves this first generation from now on. The past says what led to it.
    pub(crate) fn serve(&self, generation: Generation, past: Past) {
        self.listings(|listings| listings.listed = Some(generation.catalog().scope().since));
        *self.lock() = State::Serving(Generations::new(generation, past));
    }

    /// Serves this next generation from now on. It differs in this from the current one.
    pub(crate) fn publish(&self, next: Generation, differences: Differences) {
        let differences = Arc::new(differences);
        let mut state = self.lock();
        let State::Serving(generations) = &mut *state else { return };
        let before = Arc::clone(generations.current());
        generations.publish(next, Arc::clone(&differences));
        let next = Arc::clone(generations.current());
        drop(state);
        // Losses that are reported meanwhile are the later ones, and stay.
        next.jobs.carry(&before.jobs, &differences);
    }

    /// Lets go of earlier generations that no call has had for so long.
    pub(crate) fn let_go(&self, keep: Duration) {
        if let State::Serving(generations) = &mut *self.lock() {
            generations.let_go(keep);
        }
    }

    /// Every generation that is held, the current one first.
    pub(crate) fn held(&self) -> Vec<Arc<Generation>> {
        match &*self.lock() {
            State::Serving(generations) => generations.all().map(Arc::clone).collect(),
            State::Starting(_) | State::NotReady(_) => Vec::new(),
        }
    }

    /// Memory of the catalogs of earlier generations.
    pub(crate) fn earlier_memory(&self) -> ByteCount {
        match &*self.lock() {
            State::Serving(generations) => generations.earlier_memory(),
            State::Starting(_) | State::NotReady(_) => ByteCount::default(),
        }
    }

    /// The steps from one generation to another, in their order.
    pub(crate) fn steps(&self, from: Digest, to: Digest) -> Result<Vec<Step>, Refusal> {
        let steps = match &*self.lock() {
            State::Serving(generations) => generations.steps(from, to),
            State::Starting(_) | State::NotReady(_) => None,
        };
        steps.ok_or(Refusal::Changed { what: "dataset" })
    }

    /// Looks at how listings went, or notes how.
    pub(crate) fn listings<T>(&self, with: impl FnOnce(&mut Listings) -> T) -> T {
        with(&mut self.listings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// When the listing of what is served began; `None` where there is none yet.
    pub(crate) fn listed(&self) -> Option<SystemTime> {
        self.listings(|listings| listings.listed)
    }

    pub(crate) fn standing(&self) -> Standing {
        match &*self.lock() {
            State::Starting(doing) => Standing::Starting(doing.to_string()),
            State::NotReady(reason) => Standing::NotReady(reason.clone()),
            State::Serving(_) => Standing::Serving,
        }
    }

    /// The generation that calls get; `None` where there is none yet.
    pub(crate) fn current(&self) -> Option<Arc<Generation>> {
        match &*self.lock() {
            State::Serving(generations) => Some(Arc::clone(generations.current())),
            State::Starting(_) | State::NotReady(_) => None,
        }
    }

    /// The generation of this digest, or the current one.
    pub(crate) fn generation(&self, expected: Option<Digest>) -> Result<Arc<Generation>, Refusal> {
        match &mut *self.lock() {
            State::Starting(doing) => Err(Refusal::Starting { doing: doing.to_string() }),
            State::NotReady(reason) => {
                Err(Refusal::NotReady { dataset: self.name.to_string(), reason: reason.clone() })
            }
            State::Serving(generations) => match expected {
                None => Ok(Arc::clone(generations.current())),
                Some(digest) => generations.find(digest).ok_or(Refusal::Changed { what: "dataset" }),
            },
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
