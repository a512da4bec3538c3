//! A dataset in tar files, as WebDataset writes them: each member that is a photo is a sample, and what has its stem
//! belongs to it.
//!
//! ```text
//! shard ──walk──▶ Index: name, kind, place of each member ──group──▶ photos, labels ──fill──▶ Catalog
//!          │        kept for the next start, by the shard's name and version
//!          └─ scan: header to header, over whatever bytes are in memory
//! ```
//!
//! A read is the range of one member, asked of the store that holds the shards.
//!
//! Invariants: no length in a shard takes memory before it is held against a limit; a shard is compared with the
//! version that was listed, so that one that was replaced gives no member any more.

mod compressed;
mod damage;
mod number;

mod header;
mod pax;
mod window;

mod scan;

mod companion;
mod name;
mod varint;

mod index;

mod walk;

mod sidecar;

mod shard;

mod group;

mod fields;
mod label;

mod fill;
mod twice;

mod count;

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use headwater_types::caps::{TAR_SHARDS_LOCAL, TAR_SHARDS_REMOTE};
use headwater_types::digest::Digester;
use headwater_types::{Digest, SampleFailure};
use tracing::{info, warn};

use self::companion::Wanted;
use self::fill::{Filling, Rules};
use self::index::{Index, Making};
use crate::blocking::blocking;
use crate::catalog::{Catalog, CatalogBuilder};
use crate::error::StoreError;
use crate::extent::Extent;
use crate::kind::Kind;
use crate::listed::listed;
use crate::location::Location;
use crate::options::StoreOptions;
use crate::repack;
use crate::shards::{Shards, Shelf};
use crate::spec::KeyRule;
use crate::store::Store;
use crate::waiting::Waiting;

pub use self::count::count_members;

/// Indexes of other shards that stay beside those of a listing: of another server's fields, or of a time before.
const OTHER_INDEXES: usize = 64;

/// A dataset in tar files.
pub(crate) struct Tar {
    shards: Shards,
    options: StoreOptions,
    wanted: Arc<Wanted>,
}

// === impl Tar ===

impl Tar {
    /// Opens the shards' place.
    ///
    /// # Errors
    /// Those of [`Shards::open`].
    pub(crate) async fn open(location: &Location, options: &StoreOptions) -> Result<Self, StoreError> {
        Ok(Self::of(Shards::open(location, options).await?, options))
    }

    /// The dataset in these shards.
    pub(crate) fn of(shards: Shards, options: &StoreOptions) -> Self {
        let wanted = Arc::new(Wanted { fields: options.dataset.fields.clone() });
        Self { shards, options: options.clone(), wanted }
    }

    /// Puts the members of all shards into a catalog. Shards are indexed side by side, and each is put in as soon as it
    /// is indexed, unless something of all shards must be known first.
    async fn fill(&self, shelf: Shelf, base: Option<&Catalog>) -> Result<Filling, StoreError> {
        let dataset = &self.options.dataset;
        let mut found = CatalogBuilder::of(&self.options, base);
        for (reason, name) in &shelf.left_out {
            found.skip(*reason, name);
        }
        let mut rules = Rules::new(&self.options, Arc::clone(&self.wanted));
        let others = shelf.others.into_iter().map(|other| (other.object().as_str().to_owned(), other));
        let sidecars = sidecar::beside(others);
        let side_by_side = if self.shards.root().is_some() { TAR_SHARDS_LOCAL } else { TAR_SHARDS_REMOTE };
        let indexed = |shard: Extent| {
            let sidecar = sidecars.get(shard.object().as_str()).cloned();
            async move { self.index(&shard, sidecar).await.map(|index| (shard, index)) }
        };
        let mut indexes = stream::iter(shelf.shards).map(indexed).buffered(side_by_side).boxed();
        if !dataset.fields.is_empty() || dataset.keys == KeyRule::Shard {
            let all: Vec<_> = indexes.try_collect().await?;
            let (known, all) = blocking(move || (rules.knowing(&all), all)).await?;
            rules = known.map_err(|reason| StoreError::Fields { location: self.location(), reason })?;
            indexes = stream::iter(all).map(Ok).boxed();
        }
        let mut filling = Filling::new(found.with_fields(rules.fields.clone()), rules);
        while let Some(indexed) = indexes.next().await {
            let (shard, index) = indexed?;
            filling = blocking(move || filling.shard(&shard, &index).map(|()| filling)).await??;
        }
        Ok(filling)
    }

    /// The index of a shard: the one that was kept, or one that is made and kept. A shard that cannot be read has no
    /// members, and a reason.
    async fn index(&self, shard: &Extent, sidecar: Option<Extent>) -> Result<Index, StoreError> {
        let (kept, name, size) = (self.options.kept.clone(), self.kept_name(shard), shard.length().get());
        if let Some(index) = blocking(move || kept.get(&name).and_then(|bytes| Index::read(bytes, size))).await? {
            return Ok(index);
        }
        let index = match self.make(shard, sidecar).await? {
            Ok(index) => index,
            Err(failure) => return Ok(Making::default().finish(size, 0, Some(&failure.to_string()))),
        };
        let kept = self.options.kept.clone();
        blocking(move || {
            kept.put(&name, index.as_bytes());
            index
        })
        .await
    }

    async fn make(&self, shard: &Extent, sidecar: Option<Extent>) -> Result<Result<Index, SampleFailure>, StoreError> {
        let store = Arc::clone(self.shards.store());
        if let Some(root) = self.shards.root() {
            let (root, shard, wanted) = (Arc::clone(root), shard.clone(), Arc::clone(&self.wanted));
            let fetched = self.options.fetched.clone();
            return blocking(move || shard::of_file(&root, &*store, &shard, &wanted, &fetched)).await;
        }
        if let Some(sidecar) = sidecar {
            let name = shard.object().as_str();
            match shard::of_sidecar(&*store, shard, &sidecar, &self.wanted).await {
                Ok(index) => {
                    let members = index.members();
                    info!(shard = name, index = %sidecar.object(), members, "the index beside a shard is used");
                    return Ok(Ok(index));
                }
                Err(why) => {
                    let index = sidecar.object();
                    warn!(shard = name, %index, why, "the index beside a shard is not used: the shard is read");
                }
            }
        }
        Ok(shard::of_object(&*store, shard, &self.wanted).await)
    }

    /// What an index is kept under: all that it is made from.
    fn kept_name(&self, shard: &Extent) -> Digest {
        let mut digester = Digester::default();
        digester.field(b"headwater tar index v1").field(self.shards.store().place().as_bytes());
        digester.field(shard.object().as_str().as_bytes()).field(&shard.listed().to_bytes());
        for field in &self.wanted.fields {
            digester.field(field.as_bytes());
        }
        digester.finish()
    }

    fn location(&self) -> String {
        self.shards.location().to_owned()
    }
}

#[async_trait]
impl Store for Tar {
    async fn list(&self, base: Option<&Catalog>) -> Result<Catalog, StoreError> {
        let began = Instant::now();
        let shelf = self.shards.list(is_shard).await?;
        let location = self.shards.location();
        if shelf.shards.is_empty() {
            let others = shelf.others.len() + shelf.left_out.len();
            let found = format!("there is no tar file, and {others} other files and folders");
            return Err(StoreError::NoPhotos { location: location.to_owned(), found });
        }
        info!(location, shards = shelf.shards.len(), others = shelf.others.len(), "tar files found");
        let needed = shelf.shards.iter().map(|shard| self.kept_name(shard)).collect();
        let filling = self.fill(shelf, base).await?;
        let kept = self.options.kept.clone();
        // Shards that were replaced are read no more.
        blocking(move || kept.sweep_beside(&needed, OTHER_INDEXES)).await?;
        filling.tell(location);
        let Filling { found, again, .. } = filling;
        let catalog = blocking(move || found.finish()).await?;
        if self.options.dataset.keys == KeyRule::Member {
            twice::refuse(&catalog, again, location)?;
        }
        listed(location, catalog, &self.options, began.elapsed())
    }

    fn place(&self) -> Digest {
        let place = self.shards.store().place();
        Digester::default().field(b"tar").field(place.as_bytes()).finish()
    }

    fn source(&self) -> &'static str {
        Kind::Tar.as_str()
    }

    async fn read(&self, extent: &Extent) -> Result<Bytes, SampleFailure> {
        extent.check_length(self.options.max_object)?;
        self.shards.store().read(extent).await
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

/// Whether a file of this name is taken for a tar file. Compressed ones are too, so that they are refused by name.
fn is_shard(name: &str) -> bool {
    Kind::Tar.has_shard(name) || repack::is_compressed(name)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod written;
