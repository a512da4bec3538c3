//! What a person can see of the photo index: what each dataset finds there, and what the folder takes, which all share.

use std::fmt;
use std::sync::Arc;

use headwater_cache::{DirectoryCounts, NotKept};
use headwater_pipeline::PhotoIndex;
use headwater_types::ByteCount;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;

use super::families::Families;
use crate::datasets::Datasets;
use crate::generation::Generation;

/// The index of a server that has one.
#[derive(Debug)]
pub(super) struct IndexMetrics(pub(super) Arc<Datasets>);

impl Collector for IndexMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let of = |now: Arc<Generation>| now.pipeline.index.clone();
        let indexes: Vec<_> =
            self.0.iter().filter_map(|served| Some((served.name.to_string(), of(served.current()?)?))).collect();
        let mut families = Families(encoder);
        counts(&mut families, &indexes)?;
        reasons(&mut families, &indexes)?;
        folder(&mut families, indexes.first().map(|(_, index)| &**index))
    }
}

/// What each dataset has found, missed and put.
fn counts(families: &mut Families<'_>, indexes: &[(String, Arc<PhotoIndex>)]) -> Result<(), fmt::Error> {
    let count = |of: fn(DirectoryCounts) -> u64| {
        indexes.iter().map(move |(name, index)| ([("dataset", name.clone())], of(index.counts())))
    };
    let help = "Photos found in the index, or found to be unindexable";
    families.counters("index_hits", help, count(|counts| counts.hits))?;
    families.counters("index_misses", "Photos not in the index", count(|counts| counts.misses))?;
    let help = "Broken frames, removed to be made again";
    families.counters("index_corrupt", help, count(|counts| counts.corrupt))?;
    families.counters("index_kept", "Photos put into the index", count(|counts| counts.kept))?;
    let help = "Entries dropped from the index, since their photos are gone or changed";
    families.counters("index_dropped", help, count(|counts| counts.dropped))?;
    let help = "Times that the index was begun anew, since its folder was deleted or exchanged";
    families.counters("index_renewed", help, count(|counts| counts.renewed))?;
    let errors = indexes.iter().map(|(name, index)| ([("dataset", name.clone())], index.errors()));
    families.counters("index_read_errors", "Times that the index's folder could not be read", errors)
}

/// Why photos are not in the index.
fn reasons(families: &mut Families<'_>, indexes: &[(String, Arc<PhotoIndex>)]) -> Result<(), fmt::Error> {
    let labels = |name: &str, reason: &str| [("dataset", name.to_owned()), ("reason", reason.to_owned())];
    let not_kept = indexes.iter().flat_map(|(name, index)| {
        let counts = index.counts();
        NotKept::ALL.map(|why| (labels(name, why.as_str()), counts.not_kept(why)))
    });
    let help = "Photos not put into the index, by reason: limit is --index-bytes, busy that it is being counted, the \
                others are the disk's";
    families.counters("index_not_kept", help, not_kept)?;
    let unindexable = indexes.iter().flat_map(|(name, index)| {
        index.unindexable().map(move |(reason, count)| (labels(name, reason.as_str()), count))
    });
    let help = "Photos that are served from their source since they have no indexed form, by reason";
    families.counters("index_unindexable", help, unindexable)
}

/// What the folder takes, whichever dataset the photos are of.
fn folder(families: &mut Families<'_>, index: Option<&PhotoIndex>) -> Result<(), fmt::Error> {
    let bytes = |count: ByteCount| count.get() as f64;
    let mut gauge = |name, help, value| families.gauge(name, help, Some(&Unit::Bytes), value);
    let usage = index.map(|index| bytes(index.usage()));
    gauge("index_disk", "Disk that the index takes, in whole blocks", usage)?;
    let limit = index.map(|index| bytes(index.limit()));
    gauge("index_limit", "Disk that the index may take: --index-bytes", limit)?;
    let free = index.and_then(PhotoIndex::free).map(bytes);
    gauge("index_disk_free", "Disk that is left on the index's file system", free)
}
