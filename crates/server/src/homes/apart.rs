//! Datasets that a server which lives does not serve as this one does: it is no home of their samples.

use std::collections::BTreeMap;
use std::sync::Arc;

use headwater_types::{DatasetName, ServerName};
use tokio::time::{Duration, Instant};

use super::neighbour::Neighbour;
use super::said::Said;
use super::share::Share;
use crate::datasets::Datasets;

/// A dataset that is apart for so long is spoken of: servers that list anew are not done in the same moment.
const LONG: Duration = Duration::from_secs(30);

/// What is apart, and since when.
#[derive(Debug, Default)]
pub(crate) struct Apart {
    since: BTreeMap<(ServerName, DatasetName), Instant>,
    said: Said,
}

// === impl Apart ===

impl Apart {
    /// Compares what is served here with what these have said.
    pub(crate) fn look(&mut self, share: &Share, datasets: &Datasets, live: &[Arc<Neighbour>]) {
        let mut apart = BTreeMap::new();
        for served in datasets.iter() {
            let Some(now) = served.current() else { continue };
            for neighbour in live.iter().filter(|neighbour| !neighbour.has(&served.name, now.digest())) {
                let of = (neighbour.name.clone(), served.name.clone());
                let since = self.since.get(&of).copied().unwrap_or_else(Instant::now);
                apart.insert(of, since);
            }
        }
        share.note_apart(apart.len());
        for of in self.since.keys().filter(|of| !apart.contains_key(of)) {
            self.said.forget(&noun(of));
        }
        for (of, _) in apart.iter().filter(|(_, since)| since.elapsed() >= LONG) {
            let (peer, dataset) = of;
            self.said.warn(
                &noun(of),
                format!(
                    "the peer {peer} does not serve the dataset {dataset} as this server does, and is no home of its \
                     samples: give both the same place, part and options, and list both anew"
                ),
            );
        }
        self.since = apart;
    }
}

fn noun((peer, dataset): &(ServerName, DatasetName)) -> String {
    format!("{peer}/{dataset}")
}
