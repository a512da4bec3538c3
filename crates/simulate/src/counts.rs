//! What a replay counts.

use std::fmt;

use headwater_policy::{PolicyName, Tier};
use serde::Serialize;

/// Accesses by where their bytes came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All of them.
    pub accesses: u64,
    /// Found in memory.
    pub memory_hits: u64,
    /// Found on the SSD.
    pub ssd_hits: u64,
    /// Answered with another sample, which was cached: neither hits nor reads of the origin.
    pub substituted: u64,
    /// Read from the origin.
    pub origin: u64,
    /// Bytes of all accesses.
    pub bytes: u64,
    /// Bytes that were read from the origin.
    pub origin_bytes: u64,
}

/// One epoch, of all jobs together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OfEpoch {
    /// Its number in the trace.
    pub epoch: u32,
    /// Its accesses.
    #[serde(flatten)]
    pub counts: Counts,
}

/// One job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OfJob {
    /// Its name in the trace.
    pub job: String,
    /// Its accesses.
    #[serde(flatten)]
    pub counts: Counts,
}

/// A tier, as the replay left it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OfTier {
    /// The most bytes that it may have.
    pub limit: u64,
    /// Bytes that are left in it.
    pub bytes: u64,
    /// Entries that are left in it.
    pub entries: u64,
    /// Their keys, in the order in which they came into the trace, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<String>>,
}

/// What a replay found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The policy that decided.
    pub policy: PolicyName,
    /// All accesses.
    #[serde(flatten)]
    pub counts: Counts,
    /// Reads of the origin that were not taken in.
    pub rejected: u64,
    /// Entries that left the cache.
    pub evicted: u64,
    /// Entries that went from memory to the SSD.
    pub demoted: u64,
    /// Entries that went from the SSD to memory.
    pub promoted: u64,
    /// Reads of the origin because the cache had the sample with another size: its source had changed.
    pub changed: u64,
    /// The same by epoch.
    pub epochs: Vec<OfEpoch>,
    /// The same by job, where the trace names jobs.
    pub jobs: Vec<OfJob>,
    /// What is left in memory.
    pub memory: OfTier,
    /// What is left on the SSD.
    pub ssd: OfTier,
}

// === impl Counts ===

impl Counts {
    pub(crate) fn add(&mut self, found: Option<Tier>, bytes: u64) {
        self.accesses += 1;
        self.bytes += bytes;
        match found {
            Some(Tier::Memory) => self.memory_hits += 1,
            Some(Tier::Ssd) => self.ssd_hits += 1,
            None => {
                self.origin += 1;
                self.origin_bytes += bytes;
            }
        }
    }

    /// Another sample of so many bytes was given.
    pub(crate) fn substitute(&mut self, bytes: u64) {
        self.accesses += 1;
        self.substituted += 1;
        self.bytes += bytes;
    }

    /// Hits in both tiers, of all accesses.
    pub fn hit_rate(&self) -> f64 {
        (self.memory_hits + self.ssd_hits) as f64 / self.accesses.max(1) as f64
    }

    fn row(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        let of = |count: u64| format!("{count} ({:.2} %)", count as f64 / self.accesses.max(1) as f64 * 100.0);
        let Self { accesses, memory_hits, ssd_hits, origin, .. } = *self;
        let (memory, ssd, origin) = (of(memory_hits), of(ssd_hits), of(origin));
        writeln!(f, "{name:<14} {accesses:>12} {memory:>22} {ssd:>22} {origin:>22}")
    }
}

// === impl Report ===

/// Epochs that a table shows: the first and the last ones.
const SHOWN: usize = 10;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = ["accesses", "in memory", "on the SSD", "from the origin"];
        writeln!(f, "{:<14} {:>12} {:>22} {:>22} {:>22}", self.policy.name(), heads[0], heads[1], heads[2], heads[3])?;
        let left_out = self.epochs.len().saturating_sub(2 * SHOWN);
        for (place, OfEpoch { epoch, counts }) in self.epochs.iter().enumerate() {
            if left_out > 0 && place == SHOWN {
                writeln!(f, "({left_out} epochs are left out: --json has them)")?;
            }
            if !(SHOWN..SHOWN + left_out).contains(&place) {
                counts.row(f, &format!("epoch {epoch}"))?;
            }
        }
        for OfJob { job, counts } in &self.jobs {
            counts.row(f, &format!("job {job}"))?;
        }
        self.counts.row(f, "all")?;
        let Self { rejected, evicted, demoted, promoted, changed, .. } = self;
        write!(
            f,
            "{rejected} rejected, {evicted} evicted, {demoted} demoted, {promoted} promoted, {changed} changed at the \
             origin"
        )?;
        if self.counts.substituted > 0 {
            write!(f, "\n{} answered with another sample", self.counts.substituted)?;
        }
        for (name, tier) in [("memory", &self.memory), ("SSD", &self.ssd)] {
            let OfTier { limit, bytes, entries, keys } = tier;
            write!(f, "\nleft in {name}: {entries} entries of {bytes} bytes, of {limit}")?;
            keys.iter().flatten().try_for_each(|key| write!(f, "\n  {key}"))?;
        }
        Ok(())
    }
}
