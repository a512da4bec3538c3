//! Entries of samples whose home is another server: they are worth nothing here, and make way before all others.

use headwater_store::Extent;
use headwater_types::{SampleIndex, SampleKey};

use super::dataset::DatasetCache;
use crate::pipeline::Pipeline;

// === impl Pipeline ===

impl Pipeline {
    /// Says whether this server is a sample's home. Where it is not, what is kept of it is worth nothing, and makes way
    /// first; it counts again once the sample comes home. Gives whether anything is kept of it, as far as that is known
    /// without waiting.
    pub fn belongs(&self, index: SampleIndex, here: bool) -> bool {
        let sample = self.catalog.key(index).zip(self.catalog.extent(index));
        let (Some(cache), Some((key, extent))) = (&self.cache, sample) else { return false };
        cache.belongs(&key, &extent, here);
        cache.contains(&key, &extent)
    }
}

// === impl DatasetCache ===

impl DatasetCache {
    fn belongs(&self, key: &SampleKey, extent: &Extent, here: bool) {
        // What costs less than nothing to bring back is worth nothing, and its cost is not forgotten.
        let sign = if here { 1.0 } else { -1.0 };
        for entry in self.entries(key, extent) {
            self.cache().update(&entry, |facts| facts.cost = facts.cost.copysign(sign));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use headwater_cache::{CacheSettings, Entry, PolicyName, Worth};
    use headwater_store::Version;
    use headwater_types::{ByteCount, Digest, ImageLimits};

    use super::*;
    use crate::cached::SharedCache;

    const BYTES: usize = 300 << 10;

    fn sample(number: u32) -> (SampleKey, Extent) {
        let key: SampleKey = format!("{number}.jpg").parse().unwrap();
        (key.clone(), Extent::whole(key, Version::of_file(BYTES as u64, 1, 0)))
    }

    /// Of which samples something is kept, of the first five.
    fn kept(cache: &DatasetCache) -> Vec<u32> {
        let is_kept = |number: &u32| {
            let (key, extent) = sample(*number);
            cache.contains(&key, &extent)
        };
        (0..5).filter(is_kept).collect()
    }

    #[test]
    fn what_has_moved_makes_way_for_anything_and_what_has_come_home_does_not() {
        for policy in [PolicyName::Planned, PolicyName::Importance] {
            let settings = CacheSettings { memory: ByteCount::mebibytes(1), ssd: None, policy };
            let shared = SharedCache::open(settings, "encoded".parse().unwrap()).unwrap();
            let cache = DatasetCache::new(&shared, Digest::of(b"here"), false, ImageLimits::default());
            let put = |cache: &Arc<DatasetCache>, number: u32, cost: f32| {
                let (key, extent) = sample(number);
                let entry = Entry::Bytes(vec![number as u8; BYTES].into());
                cache.cache().put(&cache.names.encoded(&key, &extent), &entry, &Worth::of_cost(cost));
            };
            let belongs = |number: u32, here| {
                let (key, extent) = sample(number);
                cache.belongs(&key, &extent, here);
            };
            (0..3).for_each(|number| put(&cache, number, 10.0));
            put(&cache, 3, 1.0);
            assert_eq!(kept(&cache), [0, 1, 2], "{policy}: three fit, and what comes is worth less");
            (0..2).for_each(|number| belongs(number, false));
            belongs(0, true);
            put(&cache, 3, 1.0);
            assert_eq!(kept(&cache), [0, 2, 3], "{policy}");
            put(&cache, 4, 0.5);
            assert_eq!(kept(&cache), [0, 2, 3], "{policy}: all of these are at home");
        }
    }
}
