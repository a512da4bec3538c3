//! The servers that share one store, as this one knows them, and which of them is a sample's home.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use headwater_policy::homes::{Guest, Host};
use headwater_types::{ByteCount, DatasetName, Digest, SampleKey, ServerName};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::counts::Counts;
use super::neighbour::{Need, Neighbour};

/// This server among those with which it shares a store.
pub(crate) struct Share {
    pub(crate) name: ServerName,
    pub(crate) counts: Counts,
    host: Host,
    neighbours: RwLock<Arc<Vec<Arc<Neighbour>>>>,
    apart: AtomicUsize,
    /// Memory for samples that others prepare, in KiB.
    underway: Arc<Semaphore>,
    most_underway: u32,
}

/// The servers that can be the home of a dataset's samples.
pub(crate) struct Homes {
    /// This server's comes first, and then the neighbours', in step.
    hosts: Vec<Host>,
    neighbours: Vec<Arc<Neighbour>>,
}

/// Of the memory of all samples in flight, samples that others prepare take at most one of so many parts. The rest is
/// for what is prepared here, also for others, which waits for no other server: so servers whose memory is full cannot
/// wait for each other in a circle.
const PART: u64 = 4;
/// Bytes of a place of memory underway.
const PLACE: u64 = 1024;

// === impl Share ===

impl Share {
    /// A server that knows no other yet, and has so much memory for samples in flight.
    pub(crate) fn new(name: ServerName, memory: ByteCount) -> Self {
        let most_underway = u32::try_from(memory.get() / PART / PLACE).unwrap_or(u32::MAX >> 3).clamp(1, u32::MAX >> 3);
        Self {
            host: Host::new(&name),
            name,
            counts: Counts::default(),
            neighbours: RwLock::default(),
            apart: AtomicUsize::new(0),
            underway: Arc::new(Semaphore::new(most_underway as usize)),
            most_underway,
        }
    }

    /// The servers that live, but for this one.
    pub(crate) fn neighbours(&self) -> Arc<Vec<Arc<Neighbour>>> {
        Arc::clone(&self.neighbours.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on these live.
    pub(crate) fn know(&self, neighbours: Vec<Arc<Neighbour>>) {
        *self.neighbours.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(neighbours);
    }

    /// How often a server that lives does not have what this one serves of a dataset.
    pub(crate) fn apart(&self) -> usize {
        self.apart.load(Ordering::Relaxed)
    }

    pub(crate) fn note_apart(&self, apart: usize) {
        self.apart.store(apart, Ordering::Relaxed);
    }

    /// The servers that can be homes of samples of this generation of a dataset, for what needs this.
    pub(crate) fn homes(&self, dataset: &DatasetName, digest: Digest, need: Need) -> Homes {
        let all = self.neighbours();
        let neighbours = all.iter().filter(|neighbour| neighbour.has(dataset, digest) && neighbour.can(need));
        let neighbours: Vec<_> = neighbours.map(Arc::clone).collect();
        let hosts = [self.host].into_iter().chain(neighbours.iter().map(|neighbour| neighbour.host)).collect();
        Homes { hosts, neighbours }
    }

    /// Waits for a place for so many bytes of samples that others prepare.
    pub(crate) async fn underway(&self, bytes: ByteCount) -> Option<OwnedSemaphorePermit> {
        let places = u32::try_from(bytes.get().div_ceil(PLACE)).unwrap_or(u32::MAX).min(self.most_underway);
        Arc::clone(&self.underway).acquire_many_owned(places).await.ok()
    }
}

// === impl Homes ===

impl Homes {
    /// A sample's home; `None` where it is this server.
    pub(crate) fn of(&self, dataset: &DatasetName, key: &SampleKey) -> Option<&Arc<Neighbour>> {
        if self.neighbours.is_empty() {
            return None;
        }
        let place = Guest::new(dataset, key).home(self.hosts.iter().copied())?;
        self.neighbours.get(place.checked_sub(1)?)
    }
}
