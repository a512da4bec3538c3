//! The two tiers' values, and what is done where the system refuses.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use headwater_policy::Tier;
use headwater_types::write_fault::InWords;

use super::counters::Counter;
use super::owner::Owned;
use super::values::Values;

/// Nanoseconds for which a disk that refused to write is not asked again.
const REST: u64 = 10_000_000_000;

#[derive(Debug)]
pub(super) struct Tiers {
    pub(super) memory: Values,
    pub(super) ssd: Option<Owned>,
    resting_until: AtomicU64,
    /// The first thing that the system refused and nobody has heard of yet.
    refused: Mutex<Option<String>>,
}

// === impl Tiers ===

impl Tiers {
    pub(super) fn new(memory: Values, ssd: Option<Owned>) -> Self {
        Self { memory, ssd, resting_until: AtomicU64::new(0), refused: Mutex::new(None) }
    }

    /// The values of a tier, where there is such a tier.
    pub(super) fn of(&self, tier: Tier) -> Option<&Values> {
        match tier {
            Tier::Memory => Some(&self.memory),
            Tier::Ssd => self.ssd.as_ref().map(|ssd| &ssd.values),
        }
    }

    /// Whether values may be written to the SSD now.
    pub(super) fn takes_ssd(&self, now: u64) -> bool {
        self.ssd.is_some() && self.resting_until.load(Ordering::Relaxed) <= now
    }

    /// The system refused something. Gives the counter for it.
    pub(super) fn refused(&self, tier: Tier, what: &str, error: &io::Error, now: u64) -> Counter {
        let path = self.of(tier).map_or(&self.memory.path, |values| &values.path);
        let message = format!("cannot {what} {}: {}", path.display(), InWords(error));
        tracing::debug!(message, "cache");
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(message);
        if tier == Tier::Ssd {
            self.resting_until.store(now.saturating_add(REST), Ordering::Relaxed);
        }
        match tier {
            Tier::Memory => Counter::MemoryFailed,
            Tier::Ssd => Counter::SsdFailed,
        }
    }

    /// What was refused since this was asked last.
    pub(super) fn take_refused(&self) -> Option<String> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
