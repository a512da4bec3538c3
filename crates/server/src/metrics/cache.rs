//! What a person can see of the cache: what is found there and what comes from the stores, and what it takes.

use std::fmt;
use std::sync::{Arc, OnceLock};

use headwater_cache::{Cache, KindName, Latency, NotKept, Outcome, Source, Tier};
use headwater_pipeline::SharedCache;
use headwater_types::ByteCount;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;

use super::families::Families;

/// The cache of a server that has one, once it is open.
pub(super) type LaterCache = Arc<OnceLock<Arc<SharedCache>>>;

#[derive(Debug)]
pub(super) struct CacheMetrics(pub(super) LaterCache);

impl Collector for CacheMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (shared, mut families) = (self.0.get().map(|shared| &**shared), Families(encoder));
        let cache = shared.map(SharedCache::cache);
        outcomes(&mut families, cache)?;
        held(&mut families, cache)?;
        sizes(&mut families, shared)?;
        latencies(&mut families, cache)?;
        families.counter("cache_origin_bytes", "Bytes that the stores gave", shared.map(SharedCache::origin_bytes))?;
        let help = "Packages of samples of low importance that were read, each at once, for trainers that give others \
                    in their places";
        families.counter("cache_packages", help, shared.map(|shared| shared.packages().reads()))?;
        let help = "Bytes of packages, those too that lie between samples and are dropped";
        families.counter("cache_package_bytes", help, shared.map(|shared| shared.packages().bytes()))?;
        let help = "Time in which readers waited for the stores and had nothing else to read, of all readers together, \
                    in milliseconds";
        let stalled = shared.map(|shared| u64::try_from(shared.stalled().as_millis()).unwrap_or(u64::MAX));
        families.counter("cache_stalled_milliseconds", help, stalled)
    }
}

/// What happened to entries.
fn outcomes(families: &mut Families<'_>, cache: Option<&Cache>) -> Result<(), fmt::Error> {
    let counts = cache.map(Cache::counts).into_iter().flat_map(|counts| {
        let each = Outcome::ALL.into_iter().flat_map(|outcome| KindName::ALL.map(|kind| (outcome, kind)));
        each.map(move |(outcome, kind)| {
            let labels = [("outcome", outcome.as_str().to_owned()), ("kind", kind.as_str().to_owned())];
            (labels, counts.of(outcome, kind))
        })
    });
    let help = "What happened to entries of the cache, by outcome and kind: found in memory or on disk, or not found; \
                brought from the origin, by another who asked too, or ahead; given in another's place; admitted or \
                rejected; moved to the disk or back; evicted for others, dropped since their source is gone; broken, \
                or refused by the disk";
    families.counters("cache_entries", help, counts)?;
    let not_kept = cache
        .map(Cache::directory_counts)
        .into_iter()
        .flat_map(|counts| NotKept::ALL.map(|why| ([("reason", why.as_str().to_owned())], counts.not_kept(why))));
    let help = "Entries that the cache's disk did not take, by reason: limit is --cache-ssd, busy that it is being \
                counted, the others are the disk's";
    families.counters("cache_not_kept", help, not_kept)?;
    let dropped = cache.map(|cache| cache.directory_counts().dropped);
    let help = "Entries dropped from the cache's disk, since their sources are gone or changed";
    families.counter("cache_disk_dropped", help, dropped)?;
    let renewed = cache.map(|cache| cache.directory_counts().renewed);
    let help = "Times that the cache's folder was begun anew, since it was deleted or exchanged";
    families.counter("cache_renewed", help, renewed)
}

/// What each tier holds.
fn held(families: &mut Families<'_>, cache: Option<&Cache>) -> Result<(), fmt::Error> {
    let each = || {
        let each = Tier::BOTH.into_iter().flat_map(|tier| KindName::ALL.map(|kind| (tier, kind)));
        cache.into_iter().flat_map(move |cache| each.clone().map(|(tier, kind)| (tier, kind, cache.usage(tier, kind))))
    };
    let labels = |tier: Tier, kind: KindName| [("tier", tier.to_string()), ("kind", kind.as_str().to_owned())];
    let bytes = each().map(|(tier, kind, usage)| (labels(tier, kind), usage.bytes as f64));
    families.gauges("cache_held", "What the cache holds, by tier and kind", Some(&Unit::Bytes), bytes)?;
    let entries = each().map(|(tier, kind, usage)| (labels(tier, kind), usage.entries as f64));
    families.gauges("cache_held_entries", "Entries that the cache holds, by tier and kind", None, entries)
}

/// What the cache takes and may take.
fn sizes(families: &mut Families<'_>, cache: Option<&SharedCache>) -> Result<(), fmt::Error> {
    let bytes = |count: ByteCount| count.get() as f64;
    let mut gauge = |name, help, value| families.gauge(name, help, Some(&Unit::Bytes), value);
    let memory = cache.map(|cache| bytes(cache.memory_limit()));
    gauge("cache_memory_limit", "Memory that the cache may take: --cache-memory", memory)?;
    let usage = cache.map(|cache| bytes(cache.disk_usage()));
    gauge("cache_disk", "Disk that the cache takes, in whole blocks, of all servers that share it", usage)?;
    let limit = cache.map(|cache| bytes(cache.disk_limit()));
    gauge("cache_disk_limit", "Disk that the cache may take: --cache-ssd", limit)?;
    let free = cache.and_then(SharedCache::disk_free).map(bytes);
    gauge("cache_disk_free", "Disk that is left on the cache's file system", free)?;
    let used = cache.map(|cache| f64::from(u8::from(cache.has_disk() && !cache.lacks_disk())));
    families.gauge("cache_disk_used", "Whether the cache's disk is used (1): a disk that fails is not", None, used)
}

/// How long entries took to come.
fn latencies(families: &mut Families<'_>, cache: Option<&Cache>) -> Result<(), fmt::Error> {
    let each = cache.into_iter().flat_map(|cache| {
        Source::ALL.map(|source| {
            let Latency { buckets, total } = cache.latency(source);
            let ends = (0..).map(|bucket| Latency::end(bucket).map_or(f64::MAX, |end| end.as_secs_f64()));
            ([("source", source.as_str().to_owned())], total.as_secs_f64(), ends.zip(buckets).collect::<Vec<_>>())
        })
    });
    let help = "How long entries took to come, by where they came from: the cache's disk, the origin, another who \
                brought them; or to find room in memory. What is in memory is not timed";
    families.histograms("cache_latency", help, &Unit::Seconds, each)
}
