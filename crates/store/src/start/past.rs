//! What is kept of a dataset for its next start: the catalog of its last listing, and what differed before that.

use std::sync::{Arc, Mutex, PoisonError};

use headwater_types::{Differences, Digest};
use tokio::task::spawn_blocking;

use crate::catalog::Catalog;
use crate::history::{History, Step};
use crate::kept::Kept;

/// The history of a dataset's generations, which is kept with the catalog of the last one.
#[derive(Clone, Debug)]
pub struct Past {
    history: History,
    lists: Kept,
    steps: Kept,
    name: Digest,
    /// How often it was told to be kept.
    number: u64,
    /// What was written last: an earlier state is not written over a later one.
    written: Arc<Mutex<u64>>,
}

/// Catalogs and histories of one place that are kept at most: of its partitions and labels, with those of other
/// settings.
const MOST: usize = 8;

// === impl Past ===

impl Past {
    /// Of a dataset of which nothing is known or kept.
    pub fn none() -> Self {
        Self::of(&Kept::nowhere(), Digest::of(b""))
    }

    fn of(kept: &Kept, name: Digest) -> Self {
        let (lists, steps) = (kept.within("lists"), kept.within("steps"));
        Self { history: History::default(), lists, steps, name, number: 0, written: Arc::default() }
    }

    /// What is kept under this name: the catalog that was served last, and what led to it.
    pub(super) async fn load(kept: &Kept, name: Digest) -> (Option<Catalog>, Self) {
        let mut past = Self::of(kept, name);
        let (lists, steps) = (past.lists.clone(), past.steps.clone());
        let read = move || {
            let catalog = lists.read(&name, |reading| {
                let bytes = reading.left();
                Catalog::read(reading, bytes)
            });
            let history = steps.read(&name, |reading| {
                let bytes = reading.left();
                History::read(reading, bytes)
            });
            (catalog, history)
        };
        let (catalog, history) = spawn_blocking(read).await.unwrap_or_default();
        past.history = history.unwrap_or_default();
        (catalog, past)
    }

    /// Adds the step from one generation to the next.
    pub fn add(&mut self, from: Digest, to: Digest, differences: Arc<Differences>) {
        self.history.add(from, to, differences);
    }

    /// The steps from one generation to another, in their order; `None` where the way is not known.
    pub fn between(&self, from: Digest, to: Digest) -> Option<Vec<Step>> {
        self.history.between(from, to)
    }

    /// Keeps what was added, and the catalog of the generation that it leads to. Nobody waits for it: if it fails, the
    /// next start lists anew, and knows less of what was before.
    pub fn keep(&mut self, catalog: &Catalog) {
        if !self.lists.is_somewhere() {
            return;
        }
        self.number += 1;
        let (catalog, past) = (catalog.clone(), self.clone());
        drop(spawn_blocking(move || past.write(&catalog)));
    }

    fn write(&self, catalog: &Catalog) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if *written >= self.number {
            return;
        }
        *written = self.number;
        // In this order: a history may lead further than the catalog, and then is cut at it.
        if !self.history.is_empty() {
            self.steps.write(&self.name, |writing| self.history.write(writing));
            self.steps.sweep_to(MOST);
        }
        self.lists.write(&self.name, |writing| catalog.write(writing));
        self.lists.sweep_to(MOST);
    }
}
