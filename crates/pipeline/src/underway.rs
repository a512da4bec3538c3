//! A sample on its way: which it is, and what it has cost so far.

use std::sync::Arc;

use headwater_cache::KindName;
use headwater_store::Extent;
use headwater_types::{ByteCount, ClassId, FailureKind, SampleFailure, SampleIndex, SampleKey};

use crate::cached::{DatasetCache, KindSet};
use crate::pipeline::Pipeline;
use crate::prepared::{Finished, Prepared};
use crate::times::Track;

/// A sample of the catalog, on its way.
pub(crate) struct Underway {
    pub(crate) index: SampleIndex,
    pub(crate) key: SampleKey,
    pub(crate) extent: Extent,
    label: Option<ClassId>,
    /// Whether what is read and made of it may be kept.
    keeps: bool,
    /// Bytes read from the store.
    pub(crate) stored: ByteCount,
    pub(crate) times: Track,
}

// === impl Pipeline ===

impl Pipeline {
    /// A sample at the start of its way: whether its CPU time is measured, and whether anything of it may be kept.
    ///
    /// # Errors
    /// `OutOfRange` for an index past the catalog's end.
    pub(crate) fn set_out(
        &self,
        index: SampleIndex,
        (measure_cpu, keeps): (bool, bool),
    ) -> Result<Underway, SampleFailure> {
        let (Some(key), Some(extent)) = (self.catalog.key(index), self.catalog.extent(index)) else {
            let message = format!("no sample {index}: the partition has {}", self.catalog.len());
            return Err(SampleFailure::new(FailureKind::OutOfRange, message));
        };
        let label = self.catalog.get(index).and_then(|entry| entry.label);
        let (stored, times) = (ByteCount::default(), Track::new(measure_cpu));
        Ok(Underway { index, key, extent, label, keeps, stored, times })
    }

    /// Which of these kinds of entries are worth keeping of a sample; none where there is no cache, and where nothing
    /// of it may be kept.
    pub(crate) fn worth_keeping(&self, may: &[KindName], sample: &Underway) -> KindSet {
        let place = (sample.index, self.catalog.len());
        let choose = |cache: &Arc<DatasetCache>| cache.choose(may, place, sample.extent.length());
        self.cache.as_ref().filter(|_| sample.keeps).map(choose).unwrap_or_default()
    }
}

// === impl Underway ===

impl Underway {
    /// Whether what is read and made of it may be kept.
    pub(crate) fn keeps(&self) -> bool {
        self.keeps
    }

    /// The sample at the end of its way.
    pub(crate) fn end(self, outcome: Result<Finished, SampleFailure>) -> Prepared {
        let Self { index, key, label, stored, times, extent: _, keeps: _ } = self;
        let (times, marks) = times.end();
        Prepared { index, key: Some(key), label, stored, times, marks, outcome }
    }
}
