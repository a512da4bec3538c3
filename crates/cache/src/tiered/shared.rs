//! What the threads of a cache share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headwater_policy::{Facts, PolicyName, TierSizes};
use headwater_types::ByteCount;

use super::books::Books;
use super::settings::CacheSettings;
use super::ssd::Ssd;
use crate::frame::{file_length, payload_length};
use crate::latency::Stopwatches;
use crate::outcome::Tally;
use crate::shard::on_disk;
use crate::worth::Worth;

/// The books, the folder, and the counters.
pub(super) struct Shared {
    books: Mutex<Books>,
    /// Something was done on the disk, or is to be done.
    progress: Condvar,
    /// Most bytes of entries in memory, whether they are in the tier or wait.
    pub(super) memory: u64,
    /// Most bytes of its tier.
    tier: u64,
    pub(super) ssd: Option<Ssd>,
    pub(super) tally: Tally,
    pub(super) stopwatches: Stopwatches,
    /// Whether entries that are there never give way to others.
    pub(super) never_evicts: bool,
    /// Whether the bytes of the folder are to be counted, since its ledger was lost.
    pub(super) is_uncounted: AtomicBool,
    is_closed: AtomicBool,
}

/// Of memory, this part is held back for entries that are demoted until they are written, but not more than is enough
/// to keep a disk busy.
const HELD_BACK: u64 = 8;
const HELD_BACK_MOST: u64 = 64 << 20;

/// Who waits for another's progress looks again after this time, whatever happens.
const PATIENCE: Duration = Duration::from_millis(50);

// === impl Shared ===

impl Shared {
    pub(super) fn new(settings: &CacheSettings, ssd: Option<Ssd>) -> Self {
        let memory = settings.memory.get();
        let held_back = if ssd.is_some() { (memory / HELD_BACK).min(HELD_BACK_MOST) } else { 0 };
        let sizes = TierSizes { memory: memory - held_back, ssd: ssd.as_ref().map_or(0, |ssd| ssd.limit().get()) };
        let (tier, books) = (sizes.memory, Mutex::new(Books::new(settings.policy, sizes)));
        let never_evicts = settings.policy == PolicyName::Static;
        let (progress, tally, stopwatches, is_uncounted, is_closed) = Default::default();
        Self { books, progress, memory, tier, ssd, tally, stopwatches, never_evicts, is_uncounted, is_closed }
    }

    /// The books. A thread that panicked under the lock has done so in code that decides nothing by halves.
    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something was done, or is to be done.
    pub(super) fn wait<'a>(&self, books: MutexGuard<'a, Books>) -> MutexGuard<'a, Books> {
        self.progress.wait_timeout(books, PATIENCE).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Waits until something is to be done, or the cache is closed.
    pub(super) fn wait_for_work<'a>(&self, books: MutexGuard<'a, Books>) -> MutexGuard<'a, Books> {
        self.progress.wait(books).unwrap_or_else(PoisonError::into_inner)
    }

    /// Something was done, or is to be done.
    pub(super) fn notify(&self) {
        self.progress.notify_all();
    }

    pub(super) fn close(&self) {
        let books = self.books();
        self.is_closed.store(true, Ordering::Relaxed);
        drop(books);
        self.notify();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Waits until nothing is to be done on the disk, and nothing is being done.
    pub(super) fn settle(&self) {
        self.work();
        let mut books = self.books();
        while !books.tasks.is_idle() {
            books = self.wait(books);
            if !books.tasks.is_empty() {
                drop(books);
                self.work();
                books = self.books();
            }
        }
    }

    /// Whether memory could take an entry of so many bytes.
    pub(super) fn fits_memory(&self, bytes: u64) -> bool {
        self.tier > 0 && bytes <= self.tier
    }

    /// What policies are told of an entry of so many bytes.
    pub(super) fn facts(bytes: u64, worth: &Worth) -> Facts {
        let Worth { cost, importance, next_use } = *worth;
        Facts { memory_bytes: bytes, ssd_bytes: on_disk(file_length(bytes)), cost, importance, next_use }
    }

    /// The same of one that another process, or an earlier one, has put in a file of this length: of it nobody has said
    /// what it costs.
    pub(super) fn facts_of_found(length: u64) -> Facts {
        /// Seconds: what a sample costs to fetch and to make, in order of magnitude.
        const COST: f32 = 0.005;
        Facts { ssd_bytes: on_disk(length), ..Self::facts(payload_length(length), &Worth::of_cost(COST)) }
    }

    /// The most bytes of entries on the SSD.
    pub(super) fn ssd_limit(&self) -> ByteCount {
        self.ssd.as_ref().map_or(ByteCount::new(0), Ssd::limit)
    }
}
