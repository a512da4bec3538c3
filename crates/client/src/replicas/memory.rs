//! Which servers have stood in for each other in this process: a server that is gone is not waited for at every
//! connection, once it is known that another has the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use headwater_discovery::ServerAddress;
use headwater_types::DatasetName;

use crate::replicas::replica::Replica;

/// Of each dataset, servers that have had the same part at the same time.
static SEEN: Mutex<BTreeMap<DatasetName, BTreeSet<(ServerAddress, ServerAddress)>>> = Mutex::new(BTreeMap::new());

/// Most pairs of one dataset that are remembered.
const MOST: usize = 4096;

/// Remembers who has the same.
pub(super) fn remember(dataset: &DatasetName, partitions: &[Vec<Replica>]) {
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    for of in partitions.iter().filter(|of| of.len() > 1) {
        let pairs = seen.entry(dataset.clone()).or_default();
        for one in of {
            let others = of.iter().filter(|other| other.server.address() != one.server.address());
            let pairs_of_one = others.map(|other| (one.server.address().clone(), other.server.address().clone()));
            pairs.extend(pairs_of_one.take(MOST.saturating_sub(pairs.len())));
        }
    }
}

/// Whether one of these servers has had the same as the one that is missing.
pub(super) fn has_a_replica(dataset: &DatasetName, missing: &ServerAddress, there: &[&ServerAddress]) -> bool {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(pairs) = seen.get(dataset) else { return false };
    there.iter().any(|there| pairs.contains(&(missing.clone(), (*there).clone())))
}
