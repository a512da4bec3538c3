//! One server's cache, as it is reported.

use std::collections::BTreeMap;

use headwater_client::CacheReport;
use serde::Serialize;

/// A server's cache. Sizes are in bytes and times in seconds.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) server: String,
    pub(super) version: String,
    /// How the cache is set up; null where the server keeps nothing.
    pub(super) setup: Option<Setup>,
    /// What each tier holds, by kind.
    pub(super) tiers: BTreeMap<String, BTreeMap<String, Held>>,
    /// What happened to entries, and how often: over all kinds.
    pub(super) counts: BTreeMap<String, u64>,
    /// The same by kind.
    pub(super) kinds: BTreeMap<String, BTreeMap<String, u64>>,
    /// Why entries were not admitted.
    pub(super) rejected: BTreeMap<String, u64>,
    /// How long entries took to come, by where they came from.
    pub(super) latencies: BTreeMap<String, Took>,
    pub(super) origin_bytes: u64,
    /// Seconds in which readers waited for the stores and had nothing else to read, of all readers together.
    pub(super) stalled_seconds: f64,
    /// Packages of samples of low importance that were read, each at once, and their bytes.
    pub(super) packages: u64,
    pub(super) package_bytes: u64,
    /// Who shares the store; null where nobody does.
    pub(super) share: Option<Share>,
}

/// The servers that share the store with this one.
#[derive(Debug, Serialize)]
pub(super) struct Share {
    /// What this server is called among them.
    pub(super) name: String,
    /// The others that live.
    pub(super) peers: Vec<String>,
    /// Samples whose home is another server, by what came of them.
    pub(super) forwarded: BTreeMap<String, u64>,
    /// Samples that other servers asked of this one.
    pub(super) answered: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Setup {
    pub(super) policy: String,
    pub(super) kinds: String,
    pub(super) memory_limit: u64,
    pub(super) ssd_limit: u64,
    pub(super) ssd_bytes: u64,
    pub(super) ssd_free: Option<u64>,
    pub(super) ssd_trouble: String,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Held {
    pub(super) bytes: u64,
    pub(super) entries: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Took {
    pub(super) count: u64,
    pub(super) mean: Option<f64>,
    pub(super) p50: Option<f64>,
    pub(super) p99: Option<f64>,
}

// === impl Row ===

impl Row {
    pub(super) fn new(server: String, report: CacheReport) -> Self {
        let mut row = Self {
            server,
            version: report.server_version,
            setup: None,
            tiers: BTreeMap::new(),
            counts: BTreeMap::new(),
            kinds: BTreeMap::new(),
            rejected: report.rejections.into_iter().collect(),
            latencies: BTreeMap::new(),
            origin_bytes: report.origin_bytes,
            stalled_seconds: report.stalled_seconds,
            packages: report.packages,
            package_bytes: report.package_bytes,
            share: None,
        };
        row.share = report.share.map(|share| Share {
            name: share.name,
            peers: share.peers,
            forwarded: share.forwarded.into_iter().collect(),
            answered: share.answered,
        });
        row.setup = report.setup.map(|setup| Setup {
            policy: setup.policy,
            kinds: setup.kinds,
            memory_limit: setup.memory_limit,
            ssd_limit: setup.ssd_limit,
            ssd_bytes: setup.ssd_bytes,
            ssd_free: setup.ssd_free,
            ssd_trouble: setup.ssd_trouble,
        });
        for (outcome, kind, count) in report.counts {
            *row.counts.entry(outcome.clone()).or_default() += count;
            row.kinds.entry(kind).or_default().insert(outcome, count);
        }
        for (tier, kind, bytes, entries) in report.holdings {
            row.tiers.entry(tier).or_default().insert(kind, Held { bytes, entries });
        }
        for latency in report.latencies {
            let mean = (latency.count > 0).then(|| latency.seconds / latency.count as f64);
            let took = Took { count: latency.count, mean, p50: latency.p50, p99: latency.p99 };
            row.latencies.insert(latency.source, took);
        }
        row
    }

    /// How often this happened to entries of any kind.
    pub(super) fn count(&self, outcome: &str) -> u64 {
        self.counts.get(outcome).copied().unwrap_or_default()
    }

    /// The share of what was asked for that was found; `None` where nothing was asked for.
    pub(super) fn hit_rate(&self) -> Option<f64> {
        let (hits, misses) = (self.count("memory-hit") + self.count("ssd-hit"), self.count("miss"));
        (hits + misses > 0).then(|| hits as f64 / (hits + misses) as f64)
    }
}
