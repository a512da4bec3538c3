//! The one cache of a server, which all its datasets share.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use headwater_cache::{Cache, CacheError, CacheSettings, Directory, PolicyName};
use headwater_types::ByteCount;

use super::kinds::CacheKinds;
use super::packages::Packages;

/// The cache, what is kept in it, and what came out of it.
#[derive(Debug)]
pub struct SharedCache {
    cache: Cache,
    settings: CacheSettings,
    kinds: CacheKinds,
    origin_bytes: AtomicU64,
    stalled: AtomicU64,
    pub(crate) packages: Packages,
}

// === impl SharedCache ===

impl SharedCache {
    /// Opens a cache in which these kinds of entries are kept. Blocks on the disk.
    ///
    /// # Errors
    /// Those of [`Cache::open`].
    pub fn open(settings: CacheSettings, kinds: CacheKinds) -> Result<Arc<Self>, CacheError> {
        let cache = Cache::open(settings.clone())?;
        let (origin_bytes, stalled, packages) = Default::default();
        Ok(Arc::new(Self { cache, settings, kinds, origin_bytes, stalled, packages }))
    }

    /// The cache itself.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// What is kept.
    pub fn kinds(&self) -> CacheKinds {
        self.kinds
    }

    /// What decides where there is no room for all.
    pub fn policy(&self) -> PolicyName {
        self.settings.policy
    }

    /// Most bytes in memory.
    pub fn memory_limit(&self) -> ByteCount {
        self.settings.memory
    }

    /// Most bytes on disk; 0 where nothing is to be kept there.
    pub fn disk_limit(&self) -> ByteCount {
        self.settings.ssd.as_ref().map_or(ByteCount::new(0), |ssd| ssd.limit)
    }

    /// The folder on disk, where there is to be one.
    pub fn folder(&self) -> Option<&Path> {
        Some(&*self.settings.ssd.as_ref()?.folder)
    }

    /// Whether a part of the cache is to be on disk.
    pub fn has_disk(&self) -> bool {
        self.disk_limit() > ByteCount::new(0)
    }

    /// Whether the part on disk cannot be used at the moment, though there is to be one.
    pub fn lacks_disk(&self) -> bool {
        self.has_disk() && self.cache.directory().is_none()
    }

    /// What the entries take on disk, in whole blocks and over all who share the folder.
    pub fn disk_usage(&self) -> ByteCount {
        self.cache.directory().map(|directory| directory.usage()).unwrap_or_default()
    }

    /// What the folder's file system has free; `None` where it does not say, or cannot be used.
    pub fn disk_free(&self) -> Option<ByteCount> {
        self.cache.directory()?.free()
    }

    /// What of the folder's file system is to stay free.
    pub fn disk_floor(&self) -> ByteCount {
        self.cache.directory().map(|directory| directory.floor()).unwrap_or_default()
    }

    /// Whether it is known what the folder takes. Where its ledger was lost it is not, and nothing is kept there until
    /// the folder was swept.
    pub fn is_counted(&self) -> bool {
        self.cache.directory().is_none_or(|directory| Directory::is_counted(&directory))
    }

    /// Bytes that both tiers may hold together.
    pub fn size(&self) -> u64 {
        self.memory_limit().get().saturating_add(self.disk_limit().get())
    }

    /// Counts bytes that the stores gave.
    pub(crate) fn read_from_origin(&self, bytes: usize) {
        self.origin_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes that the stores gave.
    pub fn origin_bytes(&self) -> u64 {
        self.origin_bytes.load(Ordering::Relaxed)
    }

    /// What was read in packages.
    pub fn packages(&self) -> &Packages {
        &self.packages
    }

    /// Adds time in which a reader waited for the store and had nothing else to read.
    pub fn add_stalled(&self, time: Duration) {
        self.stalled.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Time in which readers waited for the store and had nothing else to read, of all readers together.
    pub fn stalled(&self) -> Duration {
        Duration::from_nanos(self.stalled.load(Ordering::Relaxed))
    }
}
