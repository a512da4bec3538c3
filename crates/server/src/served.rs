//! One dataset of a server: its name, how it is, and its generations.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headwater_types::{DatasetName, Digest, Partition};
use headwater_wire::status::Refusal;

use crate::doing::Doing;
use crate::generation::Generation;

/// A dataset that the server was given.
pub(crate) struct Served {
    pub(crate) name: DatasetName,
    /// The part of the dataset that is listed.
    pub(crate) part: Partition,
    state: Mutex<State>,
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
    Serving(Arc<Generation>),
}

// === impl Served ===

impl Served {
    /// A dataset that is not open yet.
    pub(crate) fn new(name: DatasetName, part: Partition) -> Self {
        let state = State::Starting(Doing::step(format!("opening the dataset {name}")));
        Self { name, part, state: Mutex::new(state) }
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

    /// Serves this generation from now on.
    pub(crate) fn serve(&self, generation: Generation) {
        *self.lock() = State::Serving(Arc::new(generation));
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
            State::Serving(current) => Some(Arc::clone(current)),
            State::Starting(_) | State::NotReady(_) => None,
        }
    }

    /// The generation of this digest, or the current one.
    pub(crate) fn generation(&self, expected: Option<Digest>) -> Result<Arc<Generation>, Refusal> {
        match &*self.lock() {
            State::Starting(doing) => Err(Refusal::Starting { doing: doing.to_string() }),
            State::NotReady(reason) => {
                Err(Refusal::NotReady { dataset: self.name.to_string(), reason: reason.clone() })
            }
            State::Serving(current) => match expected.is_none_or(|digest| digest == current.digest()) {
                true => Ok(Arc::clone(current)),
                false => Err(Refusal::Changed { what: "dataset" }),
            },
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
