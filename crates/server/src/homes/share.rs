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

#[cfg(test)]
mod tests {
    use headwater_wire::Introduction;

    use super::super::call::line;
    use super::*;
    use crate::others::Others;

    fn neighbour(name: &str, digest: Digest, has_workers: bool, models: Vec<Digest>) -> Arc<Neighbour> {
        let (name, address) = (name.parse::<ServerName>().unwrap(), "127.0.0.1:1".parse().unwrap());
        let said = Introduction {
            name: Some(name.clone()),
            instance: [0; 16],
            server_version: "1".into(),
            has_workers,
            datasets: vec![("photos".parse().unwrap(), vec![digest])],
            models,
        };
        let line = line(&Others::default(), address, &"peer:1".parse().unwrap());
        Arc::new(Neighbour::new(name, address, said, line.unwrap()))
    }

    /// The names of servers that are the home of any of a thousand samples; the empty name is this server's.
    fn homes(share: &Share, dataset: &str, digest: Digest, need: Need) -> Vec<String> {
        let dataset = dataset.parse().unwrap();
        let homes = share.homes(&dataset, digest, need);
        let name = |sample: u32| {
            let key = format!("{sample}.jpg").parse().unwrap();
            homes.of(&dataset, &key).map(|home| home.name.to_string()).unwrap_or_default()
        };
        let mut names: Vec<_> = (0..1000).map(name).collect();
        names.sort();
        names.dedup();
        names
    }

    #[tokio::test]
    async fn homes_are_those_who_have_the_generation_and_what_the_cut_needs() {
        let [now, model] = [b"now", b"net"].map(|text| Digest::of(text));
        let share = Share::new("a".parse().unwrap(), ByteCount::mebibytes(64));
        assert_eq!(homes(&share, "photos", now, Need::Bytes), [""], "alone");
        share.know(vec![
            neighbour("b", now, true, vec![model]),
            neighbour("c", now, false, vec![model]),
            neighbour("d", Digest::of(b"other"), true, vec![model]),
            neighbour("e", now, true, Vec::new()),
        ]);
        assert_eq!(homes(&share, "photos", now, Need::Bytes), ["", "b", "c", "e"]);
        assert_eq!(homes(&share, "photos", now, Need::Workers), ["", "b", "e"]);
        assert_eq!(homes(&share, "photos", now, Need::Model(model)), ["", "b"]);
        assert_eq!(homes(&share, "flowers", now, Need::Bytes), [""]);
        assert_eq!(homes(&share, "photos", Digest::of(b"next"), Need::Bytes), [""]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_rests_stays_a_home_and_is_asked_again_in_time() {
        let (digest, time) = (Digest::of(b"now"), tokio::time::Duration::from_secs(1));
        let neighbour = neighbour("b", digest, true, Vec::new());
        let share = Share::new("a".parse().unwrap(), ByteCount::mebibytes(64));
        share.know(vec![Arc::clone(&neighbour)]);
        neighbour.rest(time);
        assert!(neighbour.rests());
        assert_eq!(homes(&share, "photos", digest, Need::Bytes), ["", "b"]);
        tokio::time::advance(time).await;
        assert!(!neighbour.rests());
    }

    #[tokio::test]
    async fn what_others_prepare_takes_a_part_of_memory_and_a_large_sample_all_of_that_part() {
        let share = Share::new("a".parse().unwrap(), ByteCount::mebibytes(4));
        let half = share.underway(ByteCount::new(512 << 10)).await.unwrap();
        let other = share.underway(ByteCount::new(512 << 10)).await.unwrap();
        assert_eq!(share.underway.available_permits(), 0, "a quarter is in use");
        drop((half, other));
        let large = share.underway(ByteCount::mebibytes(3)).await.unwrap();
        assert_eq!(share.underway.available_permits(), 0);
        drop(large);
    }
}
