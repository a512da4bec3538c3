//! What the server keeps, and what it found there.

use headwater_cache::{KindName, Outcome, Tier};
use headwater_pipeline::SharedCache;
use serde::Serialize;

/// The cache.
#[derive(Debug, Serialize)]
pub(super) struct CacheStatus {
    /// What decides where there is no room for all
    policy: String,
    /// Memory and disk
    tiers: Vec<TierStatus>,
    /// What happened to entries: only what did
    outcomes: Vec<OutcomeStatus>,
    /// Bytes that the stores gave
    origin_bytes: u64,
    /// Seconds in which readers waited for the stores and had nothing else to read, of all together
    stalled_seconds: f64,
    /// Whether the disk that the cache was given cannot be used
    lacks_disk: bool,
}

/// One tier of the cache.
#[derive(Debug, Serialize)]
pub(super) struct TierStatus {
    /// `memory` or `ssd`
    tier: String,
    /// Entries that it holds
    entries: u64,
    /// Their bytes
    held_bytes: u64,
    /// Most bytes that it may take
    limit_bytes: u64,
}

/// How many entries something happened to.
#[derive(Debug, Serialize)]
pub(super) struct OutcomeStatus {
    /// What, as in the metric `headwater_cache_entries`
    outcome: &'static str,
    /// How many
    entries: u64,
}

// === impl CacheStatus ===

impl CacheStatus {
    pub(super) fn of(shared: &SharedCache) -> Self {
        let counts = shared.cache().counts();
        let outcomes = Outcome::ALL.map(|outcome| (outcome.as_str(), counts.total(outcome)));
        Self {
            policy: shared.policy().to_string(),
            tiers: Tier::BOTH.map(|tier| TierStatus::of(shared, tier)).into(),
            outcomes: outcomes
                .into_iter()
                .filter(|(_, entries)| *entries > 0)
                .map(|(outcome, entries)| OutcomeStatus { outcome, entries })
                .collect(),
            origin_bytes: shared.origin_bytes(),
            stalled_seconds: shared.stalled().as_secs_f64(),
            lacks_disk: shared.lacks_disk(),
        }
    }
}

// === impl TierStatus ===

impl TierStatus {
    fn of(shared: &SharedCache, tier: Tier) -> Self {
        let each = KindName::ALL.map(|kind| shared.cache().usage(tier, kind));
        let limit = match tier {
            Tier::Memory => shared.memory_limit(),
            Tier::Ssd => shared.disk_limit(),
        };
        Self {
            tier: tier.to_string(),
            entries: each.iter().map(|usage| usage.entries).sum(),
            held_bytes: each.iter().map(|usage| usage.bytes).sum(),
            limit_bytes: limit.get(),
        }
    }
}
