//! A dataset in IDX files (MNIST's) or NumPy arrays of bytes: photos that need no decoding.
//!
//! Each photo is given as a PNM file, a few bytes of header before its pixels, so that every cut, client and tool works
//! with it as with any photo. Its place is a row of its file, and its size is exact, since all photos of a file have
//! one size.
//!
//! A packed file (`.gz`) is unpacked into memory as a whole, at most 256 MiB: gzip cannot be entered in its middle, and
//! the files that come packed are MNIST's and its kin, of 50 MB. A copy on disk would have to be bounded, found again
//! and removed, for files that `gunzip` unpacks for good.

mod grid;
mod idx;
mod npy;

mod array;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::digest::Digester;
use headwater_types::{ByteCount, Digest, FailureKind, SampleFailure, SampleKey};
use tokio::sync::OnceCell;
use tracing::info;

use self::array::Array;
use crate::blocking::blocking;
use crate::catalog::{Catalog, CatalogBuilder};
use crate::error::StoreError;
use crate::extent::Extent;
use crate::files::Files;
use crate::given::Given;
use crate::kind::Kind;
use crate::listed::listed;
use crate::local::version_of;
use crate::location::Location;
use crate::options::StoreOptions;
use crate::part::Part;
use crate::shards::Shards;
use crate::skip::Skip;
use crate::store::Store;
use crate::version::Version;
use crate::waiting::Waiting;

/// Arrays of photos.
pub(crate) struct Arrays {
    shards: Shards,
    kind: Kind,
    options: StoreOptions,
    open: Mutex<HashMap<SampleKey, (Version, Slot)>>,
}

type Slot = Arc<OnceCell<Arc<Array>>>;

/// Photos' labels, where there are any.
type Labels = Option<Bytes>;

// === impl Arrays ===

impl Arrays {
    pub(crate) async fn open(location: &Location, options: &StoreOptions) -> Result<Self, StoreError> {
        let (shards, kind) = (Shards::open(location, options).await?, location.kind());
        Ok(Self { shards, kind, options: options.clone(), open: Mutex::default() })
    }

    async fn array(&self, object: &SampleKey, version: Version) -> Result<Arc<Array>, SampleFailure> {
        let slot = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let (listed, slot) = open.entry(object.clone()).or_insert_with(|| (version, Slot::default()));
            if *listed != version {
                (*listed, *slot) = (version, Slot::default());
            }
            Arc::clone(slot)
        };
        let whole = Extent::whole(object.clone(), version);
        let array =
            slot.get_or_try_init(|| async { Array::open(self.shards.store(), &whole, self.kind).await.map(Arc::new) });
        array.await.cloned()
    }

    /// The labels in the file beside one of photos: `train-labels-idx1-ubyte` beside `train-images-idx3-ubyte`.
    async fn labels(&self, photos: &Extent, count: u64, others: &[Extent]) -> Result<Labels, String> {
        let Some(beside) = (self.kind == Kind::Idx).then(|| self.beside(photos, others)).flatten() else {
            return Ok(None);
        };
        let wrong = |reason: String| format!("its labels, {}: {reason}", beside.object());
        let bytes = array::whole(self.shards.store(), &beside).await.map_err(|failure| wrong(failure.to_string()))?;
        let labels = idx::labels(&bytes).map_err(wrong)?;
        if labels.len() as u64 != count {
            return Err(wrong(format!("they are {}, and the photos {count}", labels.len())));
        }
        Ok(Some(bytes.slice_ref(labels)))
    }

    fn beside(&self, photos: &Extent, others: &[Extent]) -> Option<Extent> {
        let name = photos.object().as_str();
        let name = name.strip_suffix(".gz").unwrap_or(name).replace("idx3", "idx1").replace("idx4", "idx1");
        let name = name.replace("images", "labels");
        [name.clone(), format!("{name}.gz")].into_iter().find_map(|name| {
            let listed = others.iter().find(|other| other.object().as_str() == name).cloned();
            let looked = || {
                let found = self.shards.root()?.metadata(&name).ok().filter(|found| found.is_file())?;
                Some(Extent::whole(name.parse().ok()?, version_of(&found)))
            };
            listed.or_else(looked)
        })
    }

    /// Adds the photos of one file. `prefix` stands before their numbers.
    async fn add(
        &self,
        whole: &Extent,
        others: &[Extent],
        prefix: &str,
        found: &mut CatalogBuilder,
    ) -> Result<(), StoreError> {
        let array = match self.array(whole.object(), whole.listed()).await {
            Ok(array) => array,
            Err(failure) => {
                found.skip(Skip::Unreadable, &format!("{} ({failure})", whole.object()));
                return Ok(());
            }
        };
        let (count, length) = (array.grid.count, ByteCount::new(array.grid.length()));
        let labels = self.labels(whole, count, others).await.map_err(|reason| {
            let (location, object) = (self.shards.location().to_owned(), whole.object().to_string());
            StoreError::Table { location, object, reason }
        })?;
        let (location, file) = (self.shards.location(), whole.object().as_str());
        info!(location, file, count, memory = array.memory(), labelled = labels.is_some(), "array opened");
        let width = count.saturating_sub(1).to_string().len();
        for number in 0..count {
            let extent = Extent::row(whole.object().clone(), whole.listed(), number, length);
            let label = labels.as_ref().and_then(|labels| labels.get(usize::try_from(number).ok()?));
            let label = label.map_or(Given::Nothing, |&label| Given::Number(label.into()));
            found.push_labelled(&format!("{prefix}{number:0width$}"), &extent, label)?;
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Arrays {
    async fn list(&self, base: Option<&Catalog>) -> Result<Catalog, StoreError> {
        let began = Instant::now();
        let kind = self.kind;
        let is_shard = if kind == Kind::Npy {
            |name: &str| Kind::Npy.has_shard(name)
        } else {
            |name: &str| Kind::Idx.has_shard(name)
        };
        let shelf = self.shards.list(is_shard).await?;
        // Rows are taken by their numbers, which have no suffix.
        let mut found = CatalogBuilder::of(&StoreOptions { files: Files::All, ..self.options.clone() }, base);
        shelf.left_out.iter().for_each(|(reason, name)| found.skip(*reason, name));
        for whole in &shelf.shards {
            let prefix = if shelf.shards.len() == 1 { String::new() } else { format!("{}-", stem(whole)) };
            self.add(whole, &shelf.others, &prefix, &mut found).await?;
        }
        let catalog = blocking(move || found.finish()).await?;
        listed(self.shards.location(), catalog, &self.options, began.elapsed())
    }

    fn place(&self) -> Digest {
        let place = self.shards.store().place();
        Digester::default().field(b"arrays").field(place.as_bytes()).finish()
    }

    fn source(&self) -> &'static str {
        self.kind.as_str()
    }

    async fn read(&self, extent: &Extent) -> Result<Bytes, SampleFailure> {
        extent.check_length(self.options.max_object)?;
        let Part::Row { number, .. } = extent.place() else {
            return Err(SampleFailure::new(FailureKind::NotFound, "it is no photo of an array"));
        };
        self.array(extent.object(), extent.listed()).await?.photo(number).await
    }

    fn check(&self, extent: &Extent) -> Result<(), SampleFailure> {
        self.shards.store().check(extent)
    }

    fn check_now(&self, extent: &Extent) -> bool {
        self.shards.store().check_now(extent)
    }

    fn waiting(&self) -> Option<Waiting> {
        self.shards.store().waiting()
    }
}

/// A file's path without what says its kind, with dashes for slashes: a folder would be a class.
fn stem(whole: &Extent) -> String {
    let name = whole.object().as_str();
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.strip_suffix(".npy").unwrap_or(name).replace('/', "-")
}

/// What the headers of these bytes say, for those who test with any: whether they are photos of one kind or the other.
pub fn are_photos(bytes: &[u8]) -> bool {
    let size = bytes.len() as u64;
    let labels = idx::labels(bytes).is_ok();
    labels || idx::photos(bytes, size).is_ok() || npy::photos(bytes, size).is_ok()
}

#[cfg(test)]
mod tests;
