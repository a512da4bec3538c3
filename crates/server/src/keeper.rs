//! Upkeep of the photo index beside serving: dead entries are dropped at the start, and the folder is counted whenever
//! its ledger is lost.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use headwater_pipeline::PhotoIndex;
use headwater_store::Catalog;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How often the keeper looks whether the ledger is there.
const LOOK: Duration = Duration::from_secs(5);

/// Keeps an index in order until the server stops, or the index is no more.
pub(crate) fn keep(index: &Arc<PhotoIndex>, catalog: &Arc<Catalog>, stop: CancellationToken) {
    let (index, catalog) = (Arc::downgrade(index), Arc::clone(catalog));
    tokio::spawn(async move {
        sweep(index.clone(), &catalog, &stop).await;
        while stop.run_until_cancelled(sleep(LOOK)).await.is_some() {
            let Some(now) = index.upgrade() else { return };
            if !now.is_counted() {
                sweep(index.clone(), &catalog, &stop).await;
            }
        }
    });
}

/// Sweeps on a thread that may wait for a disk.
async fn sweep(index: Weak<PhotoIndex>, catalog: &Arc<Catalog>, stop: &CancellationToken) {
    let (catalog, stop) = (Arc::clone(catalog), stop.clone());
    let swept = tokio::task::spawn_blocking(move || {
        if let Some(index) = index.upgrade() {
            sweep_now(&index, &catalog, |_| !stop.is_cancelled());
        }
    });
    if let Err(error) = swept.await {
        tracing::warn!(%error, "the photo index was not counted");
    }
}

/// Sweeps, and says what came of it.
pub(crate) fn sweep_now(index: &PhotoIndex, catalog: &Catalog, go_on: impl Fn(f64) -> bool) {
    if !index.is_counted() {
        let folder = index.path().display();
        tracing::warn!(
            %folder,
            "the index's ledger is lost: its entries are counted, and none is added until they are"
        );
    }
    let began = Instant::now();
    let Some(swept) = index.sweep(catalog, go_on) else { return };
    tracing::info!(
        folder = %index.path().display(),
        entries = swept.entries,
        bytes = swept.bytes,
        dropped = swept.dropped,
        dropped_bytes = swept.bytes_dropped,
        of_others = swept.of_others,
        of_others_bytes = swept.bytes_of_others,
        seconds = began.elapsed().as_secs_f64(),
        "photo index counted"
    );
}
