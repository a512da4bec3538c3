//! What a person can see of the photo index: what each dataset finds there.

use std::fmt;
use std::sync::Arc;

use headwater_cache::NotKept;
use headwater_pipeline::{IndexCounts, PhotoIndex};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

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
        reasons(&mut families, &indexes)
    }
}

/// What each dataset has found, missed and put.
fn counts(families: &mut Families<'_>, indexes: &[(String, Arc<PhotoIndex>)]) -> Result<(), fmt::Error> {
    let count = |of: fn(IndexCounts) -> u64| {
        indexes.iter().map(move |(name, index)| ([("dataset", name.clone())], of(index.counts())))
    };
    let help = "Photos found in the index, or found to be unindexable";
    families.counters("index_hits", help, count(|counts| counts.hits))?;
    families.counters("index_misses", "Photos not in the index", count(|counts| counts.misses))?;
    families.counters("index_kept", "Photos put into the index", count(|counts| counts.kept))
}

/// Why photos are not in the index.
fn reasons(families: &mut Families<'_>, indexes: &[(String, Arc<PhotoIndex>)]) -> Result<(), fmt::Error> {
    let labels = |name: &str, reason: &str| [("dataset", name.to_owned()), ("reason", reason.to_owned())];
    let not_kept = indexes.iter().flat_map(|(name, index)| {
        let counts = index.counts();
        NotKept::ALL.map(|why| (labels(name, why.as_str()), counts.not_kept(why)))
    });
    let help = "Photos not put into the index, by reason: limit is --cache-ssd, busy that it is being counted, the \
                others are the disk's";
    families.counters("index_not_kept", help, not_kept)?;
    let unindexable = indexes.iter().flat_map(|(name, index)| {
        index.unindexable().map(move |(reason, count)| (labels(name, reason.as_str()), count))
    });
    let help = "Photos that are served from their source since they have no indexed form, by reason";
    families.counters("index_unindexable", help, unindexable)
}
