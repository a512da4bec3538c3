//! `Cache`: what the server keeps of samples, and what comes of it.

use headwater_cache::{Cache, KindName, Latency, NotKept, Outcome, Source, Tier};
use headwater_pipeline::SharedCache;
use headwater_wire::{CacheLatency, CacheReport, CacheSetup, CacheShare, proto};
use tonic::Status;

use crate::homes::{Came, Share};

use super::desk::Desk;

/// Why the disk is not used where it is to be.
const TROUBLE: &str = "it failed, as the server's log says, and is tried again";

pub(super) fn cache(desk: &Desk) -> Result<proto::CacheReport, Status> {
    let house = desk.life.house().map_err(|refusal| desk.refuse(refusal))?;
    let nothing = CacheReport {
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        setup: None,
        counts: Vec::new(),
        holdings: Vec::new(),
        rejections: Vec::new(),
        latencies: Vec::new(),
        origin_bytes: 0,
        stalled_seconds: 0.0,
        share: house.share.as_deref().map(share),
        packages: 0,
        package_bytes: 0,
    };
    Ok(house.cache.as_ref().map_or_else(|| nothing.clone(), |cache| filled(nothing.clone(), cache)).into())
}

fn filled(report: CacheReport, shared: &SharedCache) -> CacheReport {
    let cache = shared.cache();
    CacheReport {
        setup: Some(setup(shared)),
        counts: counts(cache),
        holdings: holdings(cache),
        rejections: rejections(cache),
        latencies: Source::ALL.map(|source| latency(source, &cache.latency(source))).into(),
        origin_bytes: shared.origin_bytes(),
        stalled_seconds: shared.stalled().as_secs_f64(),
        packages: shared.packages().reads(),
        package_bytes: shared.packages().bytes(),
        ..report
    }
}

fn share(share: &Share) -> CacheShare {
    CacheShare {
        name: share.name.to_string(),
        peers: share.neighbours().iter().map(|neighbour| neighbour.name.to_string()).collect(),
        forwarded: Came::ALL.map(|came| (came.as_str().to_owned(), share.counts.of(came))).into(),
        answered: share.counts.answered(),
    }
}

fn setup(shared: &SharedCache) -> CacheSetup {
    CacheSetup {
        policy: shared.policy().to_string(),
        kinds: shared.kinds().to_string(),
        memory_limit: shared.memory_limit().get(),
        ssd_limit: shared.disk_limit().get(),
        ssd_bytes: shared.disk_usage().get(),
        ssd_free: shared.disk_free().map(|free| free.get()),
        ssd_trouble: if shared.lacks_disk() { TROUBLE.to_owned() } else { String::new() },
    }
}

fn counts(cache: &Cache) -> Vec<(String, String, u64)> {
    let counts = cache.counts();
    let each = Outcome::ALL.into_iter().flat_map(|outcome| KindName::ALL.map(|kind| (outcome, kind)));
    let each = each.map(|(outcome, kind)| (outcome.as_str().into(), kind.as_str().into(), counts.of(outcome, kind)));
    each.filter(|(.., count)| *count > 0).collect()
}

fn holdings(cache: &Cache) -> Vec<(String, String, u64, u64)> {
    let each = Tier::BOTH.into_iter().flat_map(|tier| KindName::ALL.map(|kind| (tier, kind)));
    let held = each.map(|(tier, kind)| {
        let usage = cache.usage(tier, kind);
        (tier.to_string(), kind.to_string(), usage.bytes, usage.entries)
    });
    held.filter(|(.., entries)| *entries > 0).collect()
}

fn rejections(cache: &Cache) -> Vec<(String, u64)> {
    let counts = cache.directory_counts();
    let each = NotKept::ALL.into_iter().map(|why| (why.as_str().to_owned(), counts.not_kept(why)));
    each.filter(|(_, count)| *count > 0).collect()
}

fn latency(source: Source, latency: &Latency) -> CacheLatency {
    let quantile = |share| latency.quantile(share).map(|time| time.as_secs_f64());
    CacheLatency {
        source: source.as_str().to_owned(),
        count: latency.count(),
        seconds: latency.total.as_secs_f64(),
        p50: quantile(0.5),
        p99: quantile(0.99),
    }
}
