//! Upkeep of the cache's folder beside serving: dead entries are dropped at the start, and the folder is counted
//! whenever its ledger is lost.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use headwater_pipeline::DatasetCache;
use headwater_store::Catalog;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::served::Served;

/// How often the keeper looks whether the ledger is there.
const LOOK: Duration = Duration::from_secs(5);

/// Keeps the entries of a dataset in order until the server stops, or the dataset is no more. A dataset without a cache
/// needs no keeper.
pub(crate) fn keep(served: &Arc<Served>, stop: CancellationToken) {
    let served = Arc::downgrade(served);
    tokio::spawn(async move {
        sweep(&served, &stop).await;
        let mut oldest = oldest_of(&served);
        while stop.run_until_cancelled(sleep(LOOK)).await.is_some() {
            let Some(cache) = served.upgrade().and_then(|served| served.current()?.pipeline.cache.clone()) else {
                return;
            };
            // What only a generation needed that is held no more is dropped.
            if !cache.shared().is_counted() || oldest_of(&served) != oldest {
                sweep(&served, &stop).await;
                oldest = oldest_of(&served);
            }
        }
    });
}

/// Sweeps on a thread that may wait for a disk.
async fn sweep(served: &Weak<Served>, stop: &CancellationToken) {
    let Some(held) = served.upgrade().map(|served| served.held()) else { return };
    let Some(cache) = held.first().and_then(|now| now.pipeline.cache.clone()) else { return };
    let stop = stop.clone();
    let catalogs: Vec<_> = held.iter().map(|generation| Arc::clone(&generation.pipeline.catalog)).collect();
    // Only the catalogs are kept meanwhile: a generation that a sweep holds would seem to be in use.
    drop(held);
    let swept = tokio::task::spawn_blocking(move || sweep_now(&cache, &catalogs, |_| !stop.is_cancelled()));
    if let Err(error) = swept.await {
        tracing::warn!(%error, "the cache was not counted");
    }
}

/// The number of the oldest generation that is held; 0 where there is none.
fn oldest_of(served: &Weak<Served>) -> u64 {
    let held = served.upgrade().map(|served| served.held()).unwrap_or_default();
    held.iter().map(|generation| generation.number).min().unwrap_or_default()
}

/// Sweeps, keeping what any of these listings needs, of which the latest comes first, and says what came of it.
pub(crate) fn sweep_now(cache: &DatasetCache, catalogs: &[Arc<Catalog>], go_on: impl Fn(f64) -> bool) {
    let Some(path) = cache.shared().folder() else { return };
    let folder = path.display();
    if !cache.shared().is_counted() {
        tracing::warn!(
            %folder,
            "the cache's ledger is lost: its entries are counted, and none is added until they are"
        );
    }
    let began = Instant::now();
    let Some(swept) = cache.sweep(catalogs, go_on) else { return };
    tracing::info!(
        %folder,
        entries = swept.entries,
        bytes = swept.bytes,
        dropped = swept.dropped,
        dropped_bytes = swept.bytes_dropped,
        of_others = swept.of_others,
        of_others_bytes = swept.bytes_of_others,
        seconds = began.elapsed().as_secs_f64(),
        "cache counted"
    );
}
