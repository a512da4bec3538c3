//! What one call works with: what all datasets share, and one generation of one dataset.

use std::sync::Arc;

use headwater_types::{JobName, SampleIndex};

use crate::generation::Generation;
use crate::homes::{Homes, Need};
use crate::house::House;
use crate::metrics::SampleMetrics;
use crate::served::Served;
use crate::traces::CallTrace;

/// A generation of a dataset, and what calls about it draw from. It lives as long as the last call that has it.
#[derive(Clone)]
pub(crate) struct Offer {
    pub(crate) house: Arc<House>,
    pub(crate) served: Arc<Served>,
    pub(crate) generation: Arc<Generation>,
    /// Counts the dataset's samples.
    pub(crate) counts: SampleMetrics,
    /// The training job that reads, where the call names one.
    pub(crate) job: Option<JobName>,
    /// Follows the call, where it is of a trace.
    pub(crate) trace: CallTrace,
}

// === impl Offer ===

impl Offer {
    /// The servers that can be homes of the generation's samples, for what needs this; `None` where the store is shared
    /// with nobody.
    pub(crate) fn homes(&self, need: Need) -> Option<Homes> {
        let share = self.house.share.as_ref()?;
        Some(share.homes(&self.served.name, self.generation.digest(), need))
    }

    /// Whether this server is the home of a sample's stored bytes.
    pub(crate) fn is_home(&self, index: SampleIndex) -> bool {
        let key = self.generation.catalog().key(index);
        let home = self.homes(Need::Bytes).zip(key);
        home.is_none_or(|(homes, key)| homes.of(&self.served.name, &key).is_none())
    }
}
