//! What is of samples that are no more is dropped, of every kind and in both tiers.

use std::time::{Duration, SystemTime};

use headwater_cache::{Kind, Living, Outcome, Tier, Worth};
use headwater_types::{Digest, Partition};
use tempfile::TempDir;

use crate::common::{MIB, entry, files, key, key_of, open, usage};

#[test]
fn one_listing_tells_which_entries_of_any_kind_are_dead() {
    let folder = TempDir::new().unwrap();
    let cache = open(&folder, MIB, MIB);
    let recipe = Digest::of(b"recipe");
    let kinds = [Kind::Encoded, Kind::Indexed, Kind::Resized { recipe }, Kind::Features { model: recipe }];
    let put = |samples: std::ops::Range<u32>| {
        for (sample, kind) in samples.flat_map(|sample| kinds.map(|kind| (sample, kind))) {
            cache.put(&key_of(kind, sample), &entry(sample, 1000), &Worth::of_cost(0.01));
        }
    };
    put(0..10);
    cache.close(Duration::from_secs(60));
    put(10..20);
    assert_eq!((usage(&cache, Tier::Memory).1, usage(&cache, Tier::Ssd).1), (40, 40));
    let (datasets, soon) = (vec![Digest::of(b"/srv/photos")], SystemTime::now() + Duration::from_secs(60));
    let living = Living::new(datasets, Partition::ALL, soon, (5..15).map(key));
    let swept = cache.sweep(Some(&living), |_| true).unwrap();
    assert_eq!((swept.dropped, cache.counts().total(Outcome::Dropped), files(&folder).len()), (20, 20, 20));
    assert_eq!((usage(&cache, Tier::Memory).1, usage(&cache, Tier::Ssd).1), (20, 20));
    for (sample, kind) in (0..20).flat_map(|sample| kinds.map(|kind| (sample, kind))) {
        assert_eq!(cache.get(&key_of(kind, sample)).is_some(), (5..15).contains(&sample), "{kind} of {sample}");
    }
}
