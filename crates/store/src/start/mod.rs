//! The first listing of a dataset, and the catalog of the last start in its stead until it is done.
//!
//! ```text
//! kept catalog ─load─▶ base ─▶ listing, compared as it comes ─┬─ within 5 s ─▶ it is served
//!                                                             └─ else ─▶ the kept one is served at once, and the
//!                                                                        listing's result once it is there
//! ```
//!
//! What is kept may be out of date: a photo that was replaced since is then a failure of that sample, `Changed`, and
//! never another photo's bytes, since every read compares versions. A catalog is kept under a name of all that changes
//! what a listing takes, so that another partition or other classes never see it.

use std::sync::Arc;

use headwater_types::Digest;
use headwater_types::digest::Digester;
use headwater_types::patience::FIRST_LISTING;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;
use tracing::info;

use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::kept::Kept;
use crate::location::Location;
use crate::options::StoreOptions;
use crate::store::Store;

/// What can be served of a dataset that was just opened.
pub enum Start {
    /// The listing was done soon enough.
    Listed(Catalog),
    /// The listing goes on, and until it is done there is what an earlier one found.
    Kept(Catalog, Underway),
}

/// A listing that goes on. Dropped, it ends when the store lets it.
pub struct Underway(JoinHandle<Result<Catalog, StoreError>>);

/// Catalogs of one place that are kept at most: of its partitions and labels, with those of other settings.
const CATALOGS: usize = 8;

// === impl Underway ===

impl Underway {
    /// Waits for the listing.
    ///
    /// # Errors
    /// Those of [`Store::list`].
    pub async fn done(mut self) -> Result<Catalog, StoreError> {
        (&mut self.0).await.unwrap_or_else(|error| Err(StoreError::Interrupted { reason: error.to_string() }))
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Lists a dataset that was opened with these options for the first time, or gives the catalog of the last start where
/// the listing takes longer than 5 s. What was listed is kept for the next start.
///
/// # Errors
/// Those of [`Store::list`].
pub async fn start(location: &Location, store: &Arc<dyn Store>, options: &StoreOptions) -> Result<Start, StoreError> {
    let (kept, name) = (options.kept.within("lists"), name(location, &**store, options));
    let base = load(kept.clone(), name).await;
    let mut listing = {
        let (store, base) = (Arc::clone(store), base.clone());
        Underway(tokio::spawn(async move { list(&*store, base.as_ref(), kept, name).await }))
    };
    let Some(base) = base else { return listing.done().await.map(Start::Listed) };
    match timeout(FIRST_LISTING, &mut listing.0).await {
        Ok(listed) => {
            listed.unwrap_or_else(|error| Err(StoreError::Interrupted { reason: error.to_string() })).map(Start::Listed)
        }
        Err(_elapsed) => {
            let (samples, digest) = (base.len(), base.digest().short());
            info!(%location, samples, digest, "what the last start listed is served while the listing goes on");
            Ok(Start::Kept(base, listing))
        }
    }
}

/// Lists a dataset anew, compared with an earlier catalog of it as it comes. Where it is another, it is kept for the
/// next start.
///
/// # Errors
/// Those of [`Store::list`].
pub async fn list_again(
    location: &Location,
    store: &dyn Store,
    options: &StoreOptions,
    earlier: &Catalog,
) -> Result<Catalog, StoreError> {
    list(store, Some(earlier), options.kept.within("lists"), name(location, store, options)).await
}

async fn list(store: &dyn Store, base: Option<&Catalog>, kept: Kept, name: Digest) -> Result<Catalog, StoreError> {
    let catalog = store.list(base).await?;
    if kept.is_somewhere() && base.is_none_or(|base| !catalog.shares(base)) {
        let catalog = catalog.clone();
        // Nobody waits for it: if it fails, the next start lists anew.
        drop(spawn_blocking(move || {
            kept.write(&name, |writing| catalog.write(writing));
            kept.sweep_to(CATALOGS);
        }));
    }
    Ok(catalog)
}

async fn load(kept: Kept, name: Digest) -> Option<Catalog> {
    let read = move || {
        kept.read(&name, |reading| {
            let bytes = reading.left();
            Catalog::read(reading, bytes)
        })
    };
    spawn_blocking(read).await.ok().flatten()
}

/// The digest of all that changes what a listing takes.
fn name(location: &Location, store: &dyn Store, options: &StoreOptions) -> Digest {
    let StoreOptions { partition, files, follow, skip_unreadable, dataset, classes, .. } = options;
    let mut digester = Digester::default();
    digester.field(b"headwater kept catalog v1").field(store.place().as_bytes()).field(store.source().as_bytes());
    // Two lists of shards may lie in one place.
    digester.field(location.to_string().as_bytes());
    let rest = format!("{partition} {files:?} {follow:?} {skip_unreadable} {dataset:?} {classes:?}");
    digester.field(rest.as_bytes()).finish()
}

#[cfg(test)]
mod tests;
