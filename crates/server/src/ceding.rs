//! What is kept of samples whose home has become another server: it is worth nothing any more, and makes way first.
//!
//! Entries are not dropped at once, since a server that is gone for a minute would cost the others all that they keep
//! of its share each time that it comes back.

use std::sync::Arc;

use headwater_types::{SampleIndex, ServerName};
use tokio::time::{Duration, Instant, sleep};

use crate::datasets::Datasets;
use crate::generation::Generation;
use crate::homes::{Homes, Need, Share};
use crate::served::Served;

/// How often it is looked who lives.
const LOOK: Duration = Duration::from_secs(1);
/// Servers that have been the same for so long are taken to stay.
const SETTLED: Duration = Duration::from_secs(10);

/// Goes through all entries whenever the servers that live are others than before, and have settled.
pub(crate) async fn run(share: Arc<Share>, datasets: Arc<Datasets>) {
    let (mut done, mut last, mut since): (Vec<ServerName>, Vec<ServerName>, _) =
        (Vec::new(), Vec::new(), Instant::now());
    loop {
        sleep(LOOK).await;
        let mut now: Vec<_> = share.neighbours().iter().map(|neighbour| neighbour.name.clone()).collect();
        now.sort_unstable();
        if now != last {
            (last, since) = (now, Instant::now());
        } else if last != done && since.elapsed() >= SETTLED {
            for served in datasets.iter() {
                look_through(&share, served).await;
            }
            done.clone_from(&last);
        }
    }
}

/// Says of every sample of a dataset whether it is at home here.
async fn look_through(share: &Share, served: &Arc<Served>) {
    for generation in served.held() {
        let (served, homes) = (Arc::clone(served), share.homes(&served.name, generation.digest(), Need::Bytes));
        let dataset = served.name.clone();
        match tokio::task::spawn_blocking(move || say_all(&served, &generation, &homes)).await {
            Ok(0) => {}
            Ok(moved) => {
                tracing::info!(%dataset, moved, "what is kept of samples that are others' now makes way first");
            }
            Err(error) => tracing::warn!(%error, "cached entries were not told whose samples they are"),
        }
    }
}

/// How many samples are kept whose home is another server. A million samples take some seconds.
fn say_all(served: &Served, generation: &Generation, homes: &Homes) -> usize {
    let samples = (0..generation.catalog().len() as u64).map(SampleIndex);
    let is_moved = |index: &SampleIndex| {
        let key = generation.catalog().key(*index);
        let here = key.is_none_or(|key| homes.of(&served.name, &key).is_none());
        generation.pipeline.belongs(*index, here) && !here
    };
    samples.filter(is_moved).count()
}
