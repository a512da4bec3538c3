//! The pages that are held unpacked, so that rows of one page cost one read of it; and the bound on their memory.
//!
//! Invariants: pages that are held and pages that are being read take no more than the limit together. One page is read
//! once, however many wait for it. What was used longest ago goes first.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use headwater_types::{ByteCount, FailureKind, SampleFailure};
use tokio::sync::{Notify, OnceCell};

use super::values::Cells;

/// A bound on the memory of unpacked pages. Clones share it: a server makes one for all of its datasets.
#[derive(Clone)]
pub struct PageMemory(Arc<Shared>);

/// A page in memory.
pub(super) struct Page {
    pub(super) cells: Cells,
    _held: Held,
}

/// Which page: of which table, row group and place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PageId {
    pub(super) table: u64,
    pub(super) group: u32,
    pub(super) page: u32,
}

/// Memory that was set aside, until this is dropped.
pub(super) struct Held {
    memory: Arc<Shared>,
    bytes: u64,
}

struct Shared {
    limit: u64,
    pages: Mutex<Pages>,
    /// Whoever sets memory aside: one after the other, so that a large page is not starved by small ones.
    turn: tokio::sync::Mutex<()>,
    freed: Notify,
}

#[derive(Default)]
struct Pages {
    used: u64,
    clock: u64,
    slots: HashMap<PageId, (u64, Slot)>,
    /// The slots, by when they were last asked for.
    order: BTreeMap<u64, PageId>,
}

type Slot = Arc<OnceCell<Arc<Page>>>;

// === impl PageMemory ===

impl PageMemory {
    /// The memory of pages when nothing else is said. `datasets` writes pages of about 1 MB, and pyarrow puts 1,024
    /// photos into the first page of each row group, which are 110 MB of ImageNet's.
    pub const DEFAULT: ByteCount = ByteCount::mebibytes(256);

    /// Pages of at most this size, all together.
    pub fn new(limit: ByteCount) -> Self {
        let turn = tokio::sync::Mutex::new(());
        Self(Arc::new(Shared { limit: limit.get(), pages: Mutex::default(), turn, freed: Notify::new() }))
    }

    /// The memory that pages take now.
    pub fn used(&self) -> ByteCount {
        ByteCount::new(self.0.lock().used)
    }

    /// The most memory that pages may take.
    pub fn limit(&self) -> ByteCount {
        ByteCount::new(self.0.limit)
    }

    /// The page: the one in memory, or what `load` gives, which runs once for all who ask meanwhile.
    pub(super) async fn get<F>(&self, id: PageId, load: impl FnOnce() -> F) -> Result<Arc<Page>, SampleFailure>
    where
        F: Future<Output = Result<Arc<Page>, SampleFailure>>,
    {
        let slot = self.0.lock().slot(id);
        let page = slot.get_or_try_init(load).await.cloned();
        if page.is_err() {
            self.0.lock().forget(id, &slot);
        }
        // It can be dropped for others from now on.
        self.0.freed.notify_waiters();
        page
    }

    /// Sets memory aside, and drops pages for it where there is none.
    pub(super) async fn hold(&self, bytes: u64) -> Result<Held, SampleFailure> {
        if bytes > self.0.limit {
            let (bytes, limit) = (ByteCount::new(bytes), self.limit());
            let message = format!(
                "to read its page of the Parquet file takes {bytes}, and --page-memory is {limit}: raise it, or write \
                 the file with smaller pages (pyarrow: row_group_size=100, use_dictionary=False)"
            );
            return Err(SampleFailure::new(FailureKind::LimitExceeded, message));
        }
        let _turn = self.0.turn.lock().await;
        loop {
            let mut freed = std::pin::pin!(self.0.freed.notified());
            freed.as_mut().enable();
            if self.0.lock().take(bytes, self.0.limit) {
                return Ok(Held { memory: Arc::clone(&self.0), bytes });
            }
            // The page is dropped after the lock is given back: its memory is counted as it goes.
            let oldest = self.0.lock().oldest();
            if oldest.is_none() {
                freed.await;
            }
        }
    }
}

impl Default for PageMemory {
    fn default() -> Self {
        Self::new(Self::DEFAULT)
    }
}

impl std::fmt::Debug for PageMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageMemory").field("used", &self.used()).field("limit", &self.limit()).finish()
    }
}

// === impl Page ===

impl Page {
    /// A page in memory that was set aside, of which what it does not take is given back.
    pub(super) fn new(cells: Cells, mut held: Held) -> Self {
        held.shrink(cells.memory());
        Self { cells, _held: held }
    }
}

// === impl Held ===

impl Held {
    fn shrink(&mut self, bytes: u64) {
        let less = self.bytes.saturating_sub(bytes);
        self.bytes -= less;
        self.memory.give_back(less);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.memory.give_back(self.bytes);
    }
}

// === impl Shared ===

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give_back(&self, bytes: u64) {
        self.lock().used -= bytes;
        self.freed.notify_waiters();
    }
}

// === impl Pages ===

impl Pages {
    fn slot(&mut self, id: PageId) -> Slot {
        self.clock += 1;
        let (asked, slot) = self.slots.entry(id).or_default();
        self.order.remove(asked);
        *asked = self.clock;
        self.order.insert(self.clock, id);
        Arc::clone(slot)
    }

    fn forget(&mut self, id: PageId, failed: &Slot) {
        if let Some((asked, slot)) = self.slots.get(&id)
            && Arc::ptr_eq(slot, failed)
            && slot.get().is_none()
        {
            self.order.remove(asked);
            self.slots.remove(&id);
        }
    }

    fn take(&mut self, bytes: u64, limit: u64) -> bool {
        let fits = self.used.saturating_add(bytes) <= limit;
        self.used += if fits { bytes } else { 0 };
        fits
    }

    /// Takes out the page that was asked for longest ago. Pages that are being read stay.
    fn oldest(&mut self) -> Option<Slot> {
        let is_read = |id: &PageId| self.slots.get(id).is_some_and(|(_, slot)| slot.initialized());
        let (&asked, &id) = self.order.iter().find(|(_, id)| is_read(id))?;
        self.order.remove(&asked);
        self.slots.remove(&id).map(|(_, slot)| slot)
    }
}
