//! Differences of one model from earlier ones, each made once for all servers.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use headwater_types::Digest;
use tokio::sync::Mutex;

use crate::bases::Bases;

/// The differences of a model, from bases that are at hand.
pub(crate) struct Deltas {
    model: Bytes,
    bases: Arc<Bases>,
    made: Mutex<BTreeMap<Digest, Option<Bytes>>>,
}

/// Most bases of one server from which differences are made: each takes a second for some hundred megabytes.
const MOST_TRIED: usize = 3;

// === impl Deltas ===

impl Deltas {
    pub(crate) fn new(model: Bytes, bases: Arc<Bases>) -> Self {
        Self { model, bases, made: Mutex::default() }
    }

    /// The shortest difference from one of these, of which the first are tried first; `None` where none is shorter than
    /// the model.
    pub(crate) async fn shortest(&self, held: impl Iterator<Item = Digest>) -> Option<(Digest, Bytes)> {
        let (mut found, mut tried): (Option<(Digest, Bytes)>, usize) = (None, 0);
        for base in held {
            let Some(delta) = self.from(base).await else { continue };
            tried += 1;
            if delta.len() < found.as_ref().map_or(self.model.len(), |(_, shortest)| shortest.len()) {
                found = Some((base, delta));
            }
            if tried == MOST_TRIED {
                break;
            }
        }
        found
    }

    /// The difference from this base; `None` where it is not at hand.
    async fn from(&self, base: Digest) -> Option<Bytes> {
        let mut made = self.made.lock().await;
        if let Some(known) = made.get(&base) {
            return known.clone();
        }
        let (bases, model) = (Arc::clone(&self.bases), self.model.clone());
        let make = move || bases.find(base).map(|base| Bytes::from(headwater_delta::encode(&base, &model)));
        let delta = tokio::task::spawn_blocking(make).await.ok().flatten();
        made.insert(base, delta.clone());
        delta
    }
}
