//! What a person can see of the servers that share a store: who lives, and what came of asking each other.

use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::families::Families;
use crate::homes::{Came, Share};

/// The servers that share the store, once that is known.
pub(super) type LaterShare = Arc<OnceLock<Arc<Share>>>;

pub(super) struct HomeMetrics(pub(super) LaterShare);

impl fmt::Debug for HomeMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HomeMetrics").finish_non_exhaustive()
    }
}

impl Collector for HomeMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (share, mut families) = (self.0.get().map(|share| &**share), Families(encoder));
        let came = share
            .into_iter()
            .flat_map(|share| Came::ALL.map(|came| ([("outcome", came.as_str().to_owned())], share.counts.of(came))));
        let help = "Samples whose home is another server, by what came of them: given by it; or prepared here and not \
                    kept, since it could not give this one (failed), has too many streams (busy), was slow, \
                    unreachable, refused the call or said what cannot be (broken), or was not asked, as it had not \
                    answered a moment ago (resting)";
        families.counters("cache_forwarded", help, came)?;
        let answered = share.map(|share| share.counts.answered());
        families.counter("cache_answered", "Samples that other servers asked of this one, as their home", answered)?;
        let live = share.map(|share| share.neighbours().len() as f64);
        families.gauge("peers_live", "Other servers that live and share the store", None, live)?;
        let apart = share.map(|share| share.apart() as f64);
        let help = "How often one of those does not serve a dataset as this server does, and so is no home of its \
                    samples";
        families.gauge("peers_apart", help, None, apart)
    }
}
