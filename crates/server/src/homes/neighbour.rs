//! Another server that shares the store, as it has introduced itself.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headwater_policy::homes::Host;
use headwater_types::{ByteCount, DatasetName, Digest, ServerName};
use headwater_wire::proto::samples_client::SamplesClient;
use headwater_wire::{BearerChannel, Introduction};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// A server that lives.
pub(crate) struct Neighbour {
    pub(crate) name: ServerName,
    pub(crate) address: SocketAddr,
    pub(crate) host: Host,
    said: Introduction,
    line: Line,
}

/// The connection to an address, and how it is used. Clones are of the same connection: it lasts while the server that
/// is there introduces itself again and again.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) channel: BearerChannel,
    /// Until when the server is not asked for samples.
    rests: Arc<Mutex<Option<Instant>>>,
    calls: Arc<Semaphore>,
}

/// What a server must have to prepare a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing but the store.
    Bytes,
    Workers,
    /// The model of this digest ([`super::model::digest`]).
    Model(Digest),
}

/// Calls that a server asks of another at a time, for its own clients: sixteen servers then take no more than the
/// streams that the other has.
const CALLS: usize = 16;

// === impl Neighbour ===

impl Neighbour {
    /// The server that has introduced itself so, under this name.
    pub(crate) fn new(name: ServerName, address: SocketAddr, said: Introduction, line: Line) -> Self {
        let host = Host::new(&name);
        Self { name, address, host, said, line }
    }

    /// Whether the server has this generation of the dataset.
    pub(crate) fn has(&self, dataset: &DatasetName, digest: Digest) -> bool {
        self.said.datasets.iter().any(|(name, digests)| name == dataset && digests.contains(&digest))
    }

    /// Whether the server has what it takes to prepare a sample.
    pub(crate) fn can(&self, need: Need) -> bool {
        match need {
            Need::Bytes => true,
            Need::Workers => self.said.has_workers,
            Need::Model(model) => self.said.has_workers && self.said.models.contains(&model),
        }
    }

    /// Whether the server is not asked at the moment.
    pub(crate) fn rests(&self) -> bool {
        self.line.rests().is_some_and(|until| Instant::now() < until)
    }

    /// The server is not asked for so long.
    pub(crate) fn rest(&self, time: Duration) {
        *self.line.rests() = Some(Instant::now() + time);
    }

    /// Waits for one of the calls that the server is asked at a time.
    pub(crate) async fn call(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.line.calls).acquire_owned().await.ok()
    }

    /// Where its samples are asked for, in messages of so many bytes at most.
    pub(crate) fn samples(&self, most_message: ByteCount) -> SamplesClient<BearerChannel> {
        SamplesClient::new(self.line.channel.clone()).max_decoding_message_size(most_message.as_usize())
    }
}

// === impl Line ===

impl Line {
    pub(crate) fn new(channel: BearerChannel) -> Self {
        Self { channel, rests: Arc::default(), calls: Arc::new(Semaphore::new(CALLS)) }
    }

    fn rests(&self) -> MutexGuard<'_, Option<Instant>> {
        self.rests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
