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

mod past;

use std::sync::Arc;

use headwater_types::Digest;
use headwater_types::digest::Digester;
use headwater_types::patience::FIRST_LISTING;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;
use tracing::info;

use crate::blocking::blocking;
use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::location::Location;
use crate::options::StoreOptions;
use crate::spec::DatasetOptions;
use crate::store::Store;

pub use past::Past;

/// What can be served of a dataset that was just opened.
pub enum Start {
    /// The listing was done soon enough.
    Listed(Catalog),
    /// The listing goes on, and until it is done there is what an earlier one found.
    Kept(Catalog, Underway),
}

/// A listing that goes on. Dropped, it ends when the store lets it.
pub struct Underway(JoinHandle<Result<Catalog, StoreError>>);

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
/// the listing takes longer than 5 s. What was listed is kept for the next start, with what differs from what the last
/// start had: a client that holds that finds its samples.
///
/// # Errors
/// Those of [`Store::list`].
pub async fn start(
    location: &Location,
    store: &Arc<dyn Store>,
    options: &StoreOptions,
) -> Result<(Start, Past), StoreError> {
    let (base, mut past) = Past::load(&options.kept, name(location, &**store, options)).await;
    let mut listing = {
        let (store, base) = (Arc::clone(store), base.clone());
        Underway(tokio::spawn(async move { store.list(base.as_ref()).await }))
    };
    let Some(base) = base else {
        let catalog = listing.done().await?;
        past.keep(&catalog);
        return Ok((Start::Listed(catalog), past));
    };
    match timeout(FIRST_LISTING, &mut listing.0).await {
        Ok(listed) => {
            let interrupted = |error: JoinError| Err(StoreError::Interrupted { reason: error.to_string() });
            let catalog = listed.unwrap_or_else(interrupted)?;
            if !catalog.shares(&base) {
                let (from, to, later) = (base.digest(), catalog.digest(), catalog.clone());
                let differences = blocking(move || base.differences(&later)).await?;
                if from != to {
                    past.add(from, to, Arc::new(differences));
                }
                past.keep(&catalog);
            }
            Ok((Start::Listed(catalog), past))
        }
        Err(_elapsed) => {
            let (samples, digest) = (base.len(), base.digest().short());
            info!(%location, samples, digest, "what the last start listed is served while the listing goes on");
            Ok((Start::Kept(base, listing), past))
        }
    }
}

/// The digest of all that changes what a listing takes.
fn name(location: &Location, store: &dyn Store, options: &StoreOptions) -> Digest {
    let StoreOptions { partition, files, follow, skip_unreadable, classes, .. } = options;
    // Of classes that a file lists, the list counts.
    let listed = options.dataset.classes.clone().filter(|_| classes.is_none());
    let dataset = DatasetOptions { classes: listed, ..options.dataset.clone() };
    let mut digester = Digester::default();
    digester.field(b"headwater kept catalog v1").field(store.place().as_bytes()).field(store.source().as_bytes());
    // Two lists of shards may lie in one place.
    digester.field(location.to_string().as_bytes());
    let rest = format!("{partition} {files:?} {follow:?} {skip_unreadable} {dataset:?} {classes:?}");
    digester.field(rest.as_bytes()).finish()
}

#[cfg(test)]
mod tests;
