//! A row read: its file's table, its page, its value.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use headwater_types::{ByteCount, FailureKind, SampleFailure, SampleKey};
use tokio::sync::OnceCell;

use super::columns;
use super::file::{self, File};
use super::huggingface::Features;
use super::memory::{Page, PageMemory};
use super::table::Table;
use crate::blocking;
use crate::extent::Extent;
use crate::part::Part;
use crate::store::Store;
use crate::version::Version;

/// Reads rows of the files of one store.
pub(super) struct Reader {
    store: Arc<dyn Store>,
    /// The column of photos, where it is said.
    image: Option<String>,
    memory: PageMemory,
    max_object: ByteCount,
    tables: Mutex<HashMap<SampleKey, (Version, Slot)>>,
}

type Slot = Arc<OnceCell<Arc<Table>>>;

// === impl Reader ===

impl Reader {
    pub(super) fn new(store: Arc<dyn Store>, image: Option<String>, memory: PageMemory, max_object: ByteCount) -> Self {
        Self { store, image, memory, max_object, tables: Mutex::default() }
    }

    /// The exact size of a row's photo.
    pub(super) async fn length(&self, extent: &Extent) -> Result<ByteCount, SampleFailure> {
        let (page, row) = self.page(extent).await?;
        Ok(ByteCount::from(photo(&page, row)?.len()))
    }

    /// A row's photo, in memory of its own: the page may be dropped meanwhile.
    pub(super) async fn read(&self, extent: &Extent) -> Result<Bytes, SampleFailure> {
        if extent.range().is_some() {
            extent.check_length(self.max_object)?;
            return self.store.read(extent).await;
        }
        let (page, row) = self.page(extent).await?;
        let photo = photo(&page, row)?;
        let (size, limit) = (ByteCount::from(photo.len()), self.max_object);
        if size > limit {
            let message = format!("it has {size} and may have {limit}: see --max-object-bytes");
            return Err(SampleFailure::new(FailureKind::LimitExceeded, message));
        }
        Ok(Bytes::copy_from_slice(photo))
    }

    /// Keeps a file's table, as the listing has read it.
    pub(super) fn keep(&self, whole: &Extent, table: Table) {
        let slot = Arc::new(OnceCell::new_with(Some(Arc::new(table))));
        self.lock().insert(whole.object().clone(), (whole.listed(), slot));
    }

    async fn page(&self, extent: &Extent) -> Result<(Arc<Page>, usize), SampleFailure> {
        let Part::Row { number, .. } = extent.place() else {
            return Err(SampleFailure::new(FailureKind::Internal, "a range of bytes was asked of a table"));
        };
        let table = self.table(extent).await?;
        let read = table.page(number, &self.memory).await?;
        // What is in memory is of the file as it was: rows of a file that was replaced are given no more.
        blocking::check(&self.store, Extent::whole(extent.object().clone(), extent.listed())).await?;
        Ok(read)
    }

    async fn table(&self, extent: &Extent) -> Result<Arc<Table>, SampleFailure> {
        let (object, listed) = (extent.object(), extent.listed());
        let slot = {
            let mut tables = self.lock();
            let (version, slot) = tables.entry(object.clone()).or_insert_with(|| (listed, Slot::default()));
            if *version == listed {
                Arc::clone(slot)
            } else {
                // Another generation's file of this name.
                (*version, *slot) = (listed, Slot::default());
                Arc::clone(slot)
            }
        };
        let file = File::new(&self.store, Extent::whole(object.clone(), listed));
        slot.get_or_try_init(|| self.open(file)).await.cloned()
    }

    async fn open(&self, file: File) -> Result<Arc<Table>, SampleFailure> {
        let (image, _, groups) = file::open(&file, file.size(), |footer| {
            let features = Features::read(footer.huggingface.as_deref());
            let at = columns::image(&footer.columns, self.image.as_deref(), &features);
            let at = at.map_err(|reason| SampleFailure::new(FailureKind::Malformed, reason))?;
            Ok::<_, SampleFailure>((footer.columns[at].clone(), vec![at]))
        })
        .await?;
        Ok(Arc::new(Table::new(file, image, groups)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<SampleKey, (Version, Slot)>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn photo(page: &Page, row: usize) -> Result<&[u8], SampleFailure> {
    page.cells.bytes(row).ok_or_else(|| {
        let message = "its row has no photo: the value is null, or names a file elsewhere (datasets: embed photos)";
        SampleFailure::new(FailureKind::Malformed, message)
    })
}
