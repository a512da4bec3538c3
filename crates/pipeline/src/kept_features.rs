//! Features that were kept, of many samples at once: for work that goes through a dataset and waits for no pixel.

use headwater_cache::{Entry, Kind, KindName};
use headwater_features::Extractor;
use headwater_types::{ByteCount, SampleIndex};

use crate::cached::vector;
use crate::pipeline::Pipeline;

// === impl Pipeline ===

impl Pipeline {
    /// The features by this model that were kept of these samples; `None` for a sample of which none were. They are
    /// those of the version that was listed, whatever has become of the photo. Blocks on the cache's disk.
    pub fn kept_of(&self, samples: &[SampleIndex], model: &Extractor) -> Vec<Option<Vec<f32>>> {
        let cache = self.cache.as_ref().filter(|cache| cache.may_have(KindName::Features));
        let Some(cache) = cache.filter(|_| !model.recipe().is_random()) else { return vec![None; samples.len()] };
        let kind = Kind::Features { model: vector::digest(model) };
        let most = vector::entry_bytes(model.feature_len());
        let find = |sample: &SampleIndex| {
            let (key, extent) = (self.catalog.key(*sample)?, self.catalog.extent(*sample)?);
            let (entry, _) = cache.cache().get(&cache.names.entry(kind, &key, &extent, most))?;
            match entry {
                Entry::Bytes(bytes) => Some(vector::open(&bytes, model.feature_len())?.values),
                Entry::Refused(_) => None,
            }
        };
        samples.iter().map(find).collect()
    }

    /// Memory of the features of so many samples by this model.
    pub fn features_memory(samples: usize, model: &Extractor) -> ByteCount {
        ByteCount::new(vector::entry_bytes(model.feature_len()).get() * samples as u64)
    }
}
