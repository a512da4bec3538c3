//! How many samples came each way.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use headwater_types::Way;

/// Samples by the way in which they came.
#[derive(Debug, Default)]
pub(crate) struct Ways(Mutex<BTreeMap<Way, u64>>);

// === impl Ways ===

impl Ways {
    /// Counts a sample; `None` for one that did not come.
    pub(crate) fn count(&self, way: Option<Way>) {
        if let Some(way) = way {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(way).or_default() += 1;
        }
    }

    /// The counts so far.
    pub(crate) fn read(&self) -> BTreeMap<Way, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
