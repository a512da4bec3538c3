//! What a person can see of the photo index.

use std::fmt;

use headwater_cache::{CacheCounts, NotKept};
use headwater_pipeline::PhotoIndex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Unit;

use super::families::Families;
use super::opened::Later;

/// The index of a server that has one.
#[derive(Debug)]
pub(super) struct IndexMetrics(pub(super) Later);

impl Collector for IndexMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let index = self.0.get().and_then(|opened| opened.index.as_deref());
        let counts = index.map(PhotoIndex::counts);
        let count = |of: fn(CacheCounts) -> u64| counts.map(of);
        let mut families = Families(encoder);
        let help = "Photos found in the index, or found to be unindexable";
        families.counter("index_hits", help, count(|counts| counts.hits))?;
        families.counter("index_misses", "Photos not in the index", count(|counts| counts.misses))?;
        let help = "Broken frames, removed to be made again";
        families.counter("index_corrupt", help, count(|counts| counts.corrupt))?;
        families.counter("index_kept", "Photos put into the index", count(|counts| counts.kept))?;
        let help = "Entries dropped from the index, since their photos are gone or changed";
        families.counter("index_dropped", help, count(|counts| counts.dropped))?;
        let help = "Times that the index was begun anew, since its folder was deleted or exchanged";
        families.counter("index_renewed", help, count(|counts| counts.renewed))?;
        let help = "Times that the index's folder could not be read";
        families.counter("index_read_errors", help, index.map(PhotoIndex::errors))?;
        let not_kept =
            counts.into_iter().flat_map(|counts| NotKept::ALL.map(|why| (why.as_str(), counts.not_kept(why))));
        let help = "Photos not put into the index, by reason: limit is --index-bytes, busy that it is being counted, \
                    the others are the disk's";
        families.counters("index_not_kept", help, "reason", not_kept)?;
        let unindexable = index.into_iter().flat_map(|index| index.unindexable());
        let help = "Photos that are served from their source since they have no indexed form, by reason";
        let unindexable = unindexable.map(|(reason, count)| (reason.as_str(), count));
        families.counters("index_unindexable", help, "reason", unindexable)?;
        let bytes = || Some(&Unit::Bytes);
        let usage = index.map(|index| index.usage().get() as f64);
        families.gauge("index_disk", "Disk that the index takes, in whole blocks", bytes(), usage)?;
        let limit = index.map(|index| index.limit().get() as f64);
        families.gauge("index_limit", "Disk that the index may take: --index-bytes", bytes(), limit)?;
        let free = index.and_then(|index| index.free()).map(|free| free.get() as f64);
        families.gauge("index_disk_free", "Disk that is left on the index's file system", bytes(), free)
    }
}
