//! One dataset's samples in the cache that a server's datasets share: under which names, and what is worth keeping.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use headwater_cache::{Cache, Entry, EntryKey, Kind, KindName, Living, Outcome, Source, Swept, Worth};
use headwater_store::{Catalog, Extent, Skip};
use headwater_types::{ByteCount, Digest, ImageLimits, SampleIndex, SampleKey};

use super::costs::Costs;
use super::kinds::{CacheKinds, KindSet};
use super::names::Names;
use super::prices::{Asked, Prices};
use super::shared::SharedCache;
use crate::failure::lost;
use crate::outlook::Outlook;

/// What a server keeps of one dataset.
#[derive(Debug)]
pub struct DatasetCache {
    pub(crate) shared: Arc<SharedCache>,
    pub(crate) names: Names,
    pub(crate) costs: Costs,
    pub(crate) limits: ImageLimits,
    /// Whether the store is a folder of this machine: to keep its bytes a second time saves nothing.
    is_local: bool,
    prices: Prices,
    /// The kinds of entries that were made here of recipes and models, the latest last.
    made: Mutex<Vec<Kind>>,
}

/// Recipes and models of which a dataset remembers that there are entries: more than jobs run at a time.
const MADE: usize = 16;

// === impl DatasetCache ===

impl DatasetCache {
    /// The view of the dataset at this place ([`headwater_store::Store::place`]).
    pub fn new(shared: &Arc<SharedCache>, place: Digest, is_local: bool, limits: ImageLimits) -> Arc<Self> {
        let names = Names::new(place, limits.max_object);
        let (shared, costs, prices, made) = (Arc::clone(shared), Costs::default(), Prices::default(), Mutex::default());
        Arc::new(Self { shared, names, costs, limits, is_local, prices, made })
    }

    /// The cache that all datasets share.
    pub fn shared(&self) -> &Arc<SharedCache> {
        &self.shared
    }

    pub(crate) fn cache(&self) -> &Cache {
        self.shared.cache()
    }

    /// So many bytes have come from the store, since it was asked for them.
    pub(super) fn came(&self, bytes: usize, asked: Instant) {
        let took = asked.elapsed();
        self.costs.read(bytes, took);
        self.cache().took(Source::Origin, took);
        self.shared.read_from_origin(bytes);
    }

    /// Which of the kinds that a request may keep of a sample are worth keeping. The sample has this place among so
    /// many, and so many stored bytes.
    pub(crate) fn choose(
        &self,
        may: &[KindName],
        (index, samples): (SampleIndex, usize),
        stored: ByteCount,
    ) -> KindSet {
        match self.shared.kinds() {
            CacheKinds::Listed(kinds) => may.iter().copied().filter(|kind| kinds.has(*kind)).collect(),
            CacheKinds::Auto => {
                let worth_something = |kind: &KindName| !(self.is_local && *kind == KindName::Encoded);
                let may: KindSet = may.iter().copied().filter(worth_something).collect();
                let offered =
                    |stored| KindName::ALL.map(|kind| may.has(kind).then(|| self.costs.offered(kind, stored)));
                let asked = Asked { place: index.0, stored: stored.get(), samples };
                self.prices.choose(may, asked, self.shared.size(), offered).into_iter().collect()
            }
        }
    }

    /// Whether one kind of entry is chosen for each sample.
    pub(crate) fn chooses(&self) -> bool {
        self.shared.kinds() == CacheKinds::Auto
    }

    /// Whether the stored bytes of samples may be kept, or found.
    pub(crate) fn has_encoded(&self) -> bool {
        match self.shared.kinds() {
            CacheKinds::Listed(kinds) => kinds.has(KindName::Encoded),
            CacheKinds::Auto => !self.is_local,
        }
    }

    /// Whether entries of a kind may be kept, or found.
    pub(crate) fn may_have(&self, kind: KindName) -> bool {
        self.shared.kinds().may_have(kind)
    }

    /// Whether the settings name a kind, rather than leave it to what is measured.
    pub(crate) fn lists(&self, kind: KindName) -> bool {
        matches!(self.shared.kinds(), CacheKinds::Listed(kinds) if kinds.has(kind))
    }

    /// What was kept under a key.
    pub(crate) async fn find(self: &Arc<Self>, key: EntryKey) -> Option<Bytes> {
        let found = match self.cache().get_in_memory(&key) {
            Some((entry, _)) => Some(entry),
            None if !self.shared.has_disk() => {
                self.cache().count(Outcome::Miss, key.kind().name(), 1);
                None
            }
            None => {
                let this = Arc::clone(self);
                let look = move || this.cache().get(&key);
                tokio::task::spawn_blocking(look).await.ok()?.map(|(entry, _)| entry)
            }
        };
        match found? {
            Entry::Bytes(bytes) => Some(bytes),
            Entry::Refused(_) => None,
        }
    }

    /// Keeps what was made of a sample, if it is worth it. Waits for the cache where that has to make room.
    pub(crate) async fn keep(self: &Arc<Self>, key: EntryKey, bytes: Bytes, worth: Worth) {
        let this = Arc::clone(self);
        let keep = move || this.cache().put(&key, &Entry::Bytes(bytes), &worth);
        if let Err(error) = tokio::task::spawn_blocking(keep).await {
            tracing::debug!(failure = %lost(&error), "not kept");
        }
    }

    /// Remembers that there are entries of a recipe or of a model.
    pub(crate) fn remember(&self, kind: Kind) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if !made.contains(&kind) {
            if made.len() == MADE {
                made.remove(0);
            }
            made.push(kind);
        }
    }

    /// Whether anything is kept of this version of a sample, as far as that is known without a look at the disk.
    pub fn contains(&self, key: &SampleKey, extent: &Extent) -> bool {
        self.entries(key, extent).iter().any(|entry| self.cache().find(entry).is_some())
    }

    /// The names of all entries that there may be of this version of a sample.
    pub(crate) fn entries(&self, key: &SampleKey, extent: &Extent) -> Vec<EntryKey> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let made = made.into_iter().map(|kind| self.names.entry(kind, key, extent, ByteCount::new(u64::MAX)));
        [self.names.encoded(key, extent), self.names.indexed(key, extent)].into_iter().chain(made).collect()
    }

    /// Removes what earlier processes left half-written, drops the entries of samples that these listings would have
    /// found and have not, or have found with another content, and counts the folder's bytes anew. That takes seconds
    /// for a million entries, while other work goes on. The latest listing comes first; what one of the others has
    /// found stays. Entries of which the latest cannot tell stay: see [`Living`].
    ///
    /// `go_on` is asked now and then, with the share that is done. `None` where it said no, where there is no folder,
    /// or where it could not be read.
    pub fn sweep(&self, catalogs: &[Arc<Catalog>], go_on: impl Fn(f64) -> bool) -> Option<Swept> {
        const SHARDS: f64 = 256.0;
        let living = self.living(catalogs);
        let goes_on = |shard: usize| go_on(shard as f64 / SHARDS);
        let swept = self.cache().sweep(living.as_ref(), goes_on).inspect_err(|error| {
            tracing::warn!(%error, "the cache was not counted; it is tried again");
        });
        swept.ok().filter(|_| go_on(1.0))
    }

    /// The entries that are alive by these listings, of which the latest comes first; `None` where that one did not see
    /// everything.
    fn living(&self, catalogs: &[Arc<Catalog>]) -> Option<Living> {
        let latest = catalogs.first()?;
        let scope = latest.scope();
        if latest.skipped().count(Skip::Unreadable) > 0 {
            return None;
        }
        let keys = catalogs
            .iter()
            .flat_map(|catalog| catalog.iter())
            .filter_map(|(_, entry)| Some((entry.key.parse::<SampleKey>().ok()?, entry.version)));
        let alive = keys.map(|(key, version)| self.names.version(&key, version));
        Some(Living::new(self.names.scopes(scope.files), scope.part, scope.since, alive))
    }
}

/// What keeping a sample is worth that takes so many seconds to bring back.
pub(crate) fn worth(outlook: Option<&Arc<dyn Outlook>>, index: SampleIndex, seconds: f64) -> Worth {
    Worth {
        cost: seconds as f32,
        importance: outlook.map_or(1.0, |outlook| outlook.importance(index)),
        next_use: outlook.and_then(|outlook| outlook.next_use(index)),
    }
}
