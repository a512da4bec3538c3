//! One store as all requests to it share it: the client, what is known of it, and how often it may be asked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use headwater_types::Hedging;
use headwater_types::caps::S3_HEDGED;
use headwater_types::patience::S3_SILENCE;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{Extensions, GetOptions, GetRange, ObjectStore};
use tokio::time::timeout;

use super::fault::Fault;
use super::http::Asked;
use super::quota::Quota;
use crate::fetched::Fetched;

#[derive(Debug)]
pub(super) struct Link {
    pub(super) client: AmazonS3,
    pub(super) quota: Quota,
    /// Which reads are slow, and how many of them may be made a second time.
    hedging: Mutex<Hedging>,
    /// The number of answers of whatever kind.
    answers: Arc<AtomicU64>,
    /// Counts what comes.
    pub(super) fetched: Fetched,
    /// The number of objects that came.
    came: AtomicU64,
    /// The last object that came, which is asked for again where it is doubtful whether the store gives anything.
    good: Mutex<Option<Path>>,
    /// The seed of the next request's pauses.
    seed: AtomicU64,
    warned: Mutex<Option<Instant>>,
}

/// Warnings of trouble are so far apart: each request would have its own.
const WARNED_EVERY: Duration = Duration::from_secs(10);

// === impl Link ===

impl Link {
    /// `answers` is counted by what looks at them.
    pub(super) fn new(client: AmazonS3, answers: Arc<AtomicU64>, fetched: Fetched, seed: u64) -> Self {
        Self {
            client,
            quota: Quota::new(),
            hedging: Mutex::new(Hedging::new(S3_HEDGED)),
            answers,
            fetched,
            came: AtomicU64::new(0),
            good: Mutex::default(),
            seed: AtomicU64::new(seed),
            warned: Mutex::default(),
        }
    }

    /// Whether the store has ever answered.
    pub(super) fn has_answered(&self) -> bool {
        self.answers.load(Ordering::Relaxed) > 0
    }

    /// The number of objects that have come.
    pub(super) fn came(&self) -> u64 {
        self.came.load(Ordering::Relaxed)
    }

    /// Notes that an object has come, and how long it took.
    pub(super) fn took(&self, path: &Path, time: Duration) {
        self.came.fetch_add(1, Ordering::Relaxed);
        self.hedging().took(time);
        self.quota.answered();
        *self.good.lock().unwrap_or_else(PoisonError::into_inner) = Some(path.clone());
    }

    /// The time after which a read is slow.
    pub(super) fn slow_after(&self) -> Duration {
        self.hedging().after()
    }

    /// Whether a slow read may be made a second time now.
    pub(super) fn may_hedge(&self) -> bool {
        self.quota.resting().is_none() && self.hedging().may()
    }

    /// Whether the store gives an object that it gave before: then it is not the store that is ill.
    pub(super) async fn is_well(&self) -> bool {
        let Some(path) = self.good.lock().unwrap_or_else(PoisonError::into_inner).clone() else { return false };
        let options = GetOptions {
            range: Some(GetRange::Bounded(0..1)),
            extensions: asking(&Asked::object()),
            ..GetOptions::default()
        };
        let look = async { self.client.get_opts(&path, options).await.is_ok() };
        timeout(S3_SILENCE, look).await.unwrap_or(false)
    }

    fn hedging(&self) -> MutexGuard<'_, Hedging> {
        self.hedging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seed that no other request has.
    pub(super) fn seed(&self) -> u64 {
        self.seed.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
    }

    /// Says in the log that there is trouble, now and then.
    pub(super) fn warn(&self, what: &str, fault: &Fault) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|last| last.elapsed() >= WARNED_EVERY) {
            *warned = Some(Instant::now());
            tracing::warn!(what, %fault, "the store does not give what it is asked for: asking again");
        }
    }
}

/// What a request carries, so that the connector knows what its answer is to be.
pub(super) fn asking(asked: &Asked) -> Extensions {
    let mut extensions = Extensions::new();
    extensions.insert(asked.clone());
    extensions
}
