//! Pushes that were announced, and whose pieces come.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use headwater_types::{Digest, ModelName};
use headwater_versions::{Transfer, Version};

/// What was announced, by the digest of what travels.
#[derive(Default)]
pub(super) struct Begun(Mutex<BTreeMap<Digest, Push>>);

/// A version on its way.
#[derive(Clone)]
pub(super) struct Push {
    pub(super) name: ModelName,
    pub(super) version: Version,
    pub(super) transfer: Transfer,
    pub(super) since: Instant,
}

/// Most pushes that are announced at a time. The oldest makes way: who pushes it announces it again.
const MOST_BEGUN: usize = 64;

// === impl Begun ===

impl Begun {
    pub(super) fn note(&self, push: Push) {
        let mut begun = self.lock();
        let oldest = begun.iter().min_by_key(|(_, push)| push.since).map(|(transfer, _)| *transfer);
        if let Some(oldest) = oldest.filter(|_| begun.len() >= MOST_BEGUN) {
            begun.remove(&oldest);
        }
        begun.insert(push.transfer.digest, push);
    }

    pub(super) fn find(&self, transfer: Digest) -> Option<Push> {
        self.lock().get(&transfer).cloned()
    }

    pub(super) fn end(&self, transfer: Digest) {
        self.lock().remove(&transfer);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Digest, Push>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
