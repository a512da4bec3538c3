//! Samples brought ahead of their use.

use headwater_cache::{KindName, Outcome};
use headwater_types::{SampleFailure, SampleIndex};

use crate::photo::Fetched;
use crate::pipeline::Pipeline;
use crate::resources::Job;

/// What came of bringing a sample ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefetched {
    /// It was read from the store.
    Read,
    /// Something of it was there already, or somebody else was reading it.
    There,
    /// Stored bytes are not kept here: no cache, other kinds, or a store that is as quick as the cache.
    NotKept,
}

// === impl Pipeline ===

impl Pipeline {
    /// Reads a sample's stored bytes into the cache, within the memory of a job of the background.
    ///
    /// # Errors
    /// Those of reading the sample.
    pub async fn prefetch(&self, index: SampleIndex, job: &Job) -> Result<Prefetched, SampleFailure> {
        let Some(cache) = self.cache.as_ref().filter(|cache| cache.has_encoded()) else {
            return Ok(Prefetched::NotKept);
        };
        if self.is_cached(index) {
            return Ok(Prefetched::There);
        }
        let mut sample = self.set_out(index, (false, true))?;
        let Fetched { from_origin: true, .. } = self.fetch(&mut sample, true, job).await? else {
            return Ok(Prefetched::There);
        };
        cache.cache().count(Outcome::Prefetched, KindName::Encoded, 1);
        Ok(Prefetched::Read)
    }

    /// Has the cache take from the outlook what it knows by now of a sample of which something is kept.
    pub fn look_again(&self, index: SampleIndex) {
        let sample = self.catalog.key(index).zip(self.catalog.extent(index));
        let (Some(cache), Some(outlook), Some((key, extent))) = (&self.cache, &self.outlook, sample) else { return };
        let (next_use, importance) = (outlook.next_use(index), outlook.importance(index));
        for entry in cache.entries(&key, &extent) {
            cache.cache().update(&entry, |facts| {
                facts.next_use = next_use;
                facts.importance = importance;
            });
        }
    }

    /// Whether anything is kept of a sample, as far as that is known without waiting.
    pub fn is_cached(&self, index: SampleIndex) -> bool {
        let sample = self.catalog.key(index).zip(self.catalog.extent(index));
        let kept = self.cache.as_ref().zip(sample);
        kept.is_some_and(|(cache, (key, extent))| cache.contains(&key, &extent))
    }
}
