//! Keys, entries and caches for all of these tests.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use headwater_cache::{
    Cache, CacheSettings, Entry, EntryKey, Kept, Kind, KindName, PolicyName, SsdSettings, Tier, Worth,
};
use headwater_store::Version;
use headwater_types::{Amount, ByteCount, Digest};
use tempfile::TempDir;

pub(crate) const MIB: u64 = 1 << 20;

pub(crate) fn key_of(kind: Kind, sample: u32) -> EntryKey {
    let (sample, version) = (format!("cat/{sample}.jpg").parse().unwrap(), Version::of_file(10, 1, 2));
    EntryKey::new(kind, &Digest::of(b"/srv/photos"), &sample, version, ByteCount::mebibytes(4))
}

pub(crate) fn key(sample: u32) -> EntryKey {
    key_of(Kind::Encoded, sample)
}

/// Other bytes for each sample.
pub(crate) fn entry(sample: u32, length: usize) -> Entry {
    let mut state = u64::from(sample) << 17 | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let bytes: Vec<u8> = (0..length.div_ceil(8)).flat_map(|_| next().to_le_bytes()).take(length).collect();
    Entry::Bytes(Bytes::from(bytes))
}

pub(crate) fn settings(folder: &Path, memory: u64, ssd: u64, policy: PolicyName) -> CacheSettings {
    let ssd = SsdSettings { folder: folder.join("cache"), limit: ByteCount::new(ssd), floor: Some(Amount::ZERO) };
    CacheSettings { memory: ByteCount::new(memory), ssd: Some(ssd), policy }
}

/// A cache that evicts what was used longest ago.
pub(crate) fn open(folder: &TempDir, memory: u64, ssd: u64) -> Cache {
    Cache::open(settings(folder.path(), memory, ssd, PolicyName::Lru)).unwrap()
}

pub(crate) fn put(cache: &Cache, sample: u32, length: usize) -> Kept {
    cache.put(&key(sample), &entry(sample, length), &Worth::of_cost(0.01))
}

/// Whether the entry is there, to the byte.
pub(crate) fn is_there(cache: &Cache, sample: u32, length: usize) -> bool {
    cache.get(&key(sample)).is_some_and(|(found, _)| {
        assert!(found == entry(sample, length), "wrong bytes for {sample}");
        true
    })
}

/// Bytes and entries of a tier, of all kinds.
pub(crate) fn usage(cache: &Cache, tier: Tier) -> (u64, u64) {
    let of_kinds = KindName::ALL.map(|kind| cache.usage(tier, kind));
    (of_kinds.iter().map(|usage| usage.bytes).sum(), of_kinds.iter().map(|usage| usage.entries).sum())
}

/// Entries' files, wherever they lie in the folder, and those that are being written.
pub(crate) fn files(folder: &TempDir) -> Vec<PathBuf> {
    let listed = |path: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(path).map(|entries| entries.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
    };
    listed(&folder.path().join("cache")).iter().flat_map(|shard| listed(shard)).collect()
}

/// Bytes that they take, by another way than the cache's own: one that gets its name just now is seen under two names,
/// and is one.
pub(crate) fn blocks(folder: &TempDir) -> u64 {
    let found = files(folder).into_iter().filter_map(|file| std::fs::metadata(file).ok());
    let by_inode: BTreeMap<u64, u64> = found.map(|data| (data.ino(), data.size())).collect();
    by_inode.values().map(|size| size.div_ceil(4096) * 4096).sum()
}
