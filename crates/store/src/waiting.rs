//! The reads that are underway, and what those that take long wait for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use headwater_types::patience::STORE_WAIT_TOLD;

/// Reads that have waited for their store for longer than it should take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// How many reads are underway.
    pub reads: usize,
    /// For how long the longest read has been underway.
    pub longest: Duration,
    /// What the store did last for the longest read.
    pub last: String,
}

/// The reads that are underway.
#[derive(Clone, Debug, Default)]
pub(crate) struct Underway(Arc<Mutex<Reads>>);

#[derive(Debug, Default)]
struct Reads {
    next: u64,
    all: BTreeMap<u64, Read>,
}

#[derive(Debug)]
struct Read {
    since: Instant,
    last: Option<String>,
}

/// A read that is underway until this is dropped.
#[derive(Debug)]
pub(crate) struct Wait {
    underway: Underway,
    number: u64,
}

// === impl Waiting ===

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reads, longest, last } = self;
        write!(f, "{reads} reads wait for the store, one of them for {} s: {last}", longest.as_secs())
    }
}

// === impl Underway ===

impl Underway {
    pub(crate) fn begin(&self) -> Wait {
        let mut reads = self.lock();
        let number = reads.next;
        reads.next += 1;
        reads.all.insert(number, Read { since: Instant::now(), last: None });
        drop(reads);
        Wait { underway: self.clone(), number }
    }

    /// The reads that wait for long; `None` while all goes as it should.
    pub(crate) fn waiting(&self) -> Option<Waiting> {
        let reads = self.lock();
        // Numbers rise, so the first has waited longest.
        let (_, oldest) = reads.all.first_key_value()?;
        let longest = oldest.since.elapsed();
        let last = oldest.last.clone().unwrap_or_else(|| "it has not answered yet".to_owned());
        (longest >= STORE_WAIT_TOLD).then(|| Waiting { reads: reads.all.len(), longest, last })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Reads> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Wait ===

impl Wait {
    /// Notes what the store did just now.
    pub(crate) fn saw(&self, what: String) {
        if let Some(read) = self.underway.lock().all.get_mut(&self.number) {
            read.last = Some(what);
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.underway.lock().all.remove(&self.number);
    }
}
