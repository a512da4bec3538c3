//! Another server that shares the store, as it has introduced itself.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use headwater_policy::homes::Host;
use headwater_types::{ByteCount, DatasetName, Digest, ServerName};
use headwater_wire::Introduction;
use headwater_wire::proto::samples_client::SamplesClient;
use tokio::time::Instant;
use tonic::transport::Channel;

/// A server that lives.
pub(crate) struct Neighbour {
    pub(crate) name: ServerName,
    pub(crate) address: SocketAddr,
    pub(crate) host: Host,
    said: Introduction,
    channel: Channel,
    rest: Rest,
}

/// Until when a server is not asked for samples. Clones are of the same server.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rest(Arc<Mutex<Option<Instant>>>);

/// What a server must have to prepare a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing but the store.
    Bytes,
    Workers,
    /// The model of this digest ([`super::model::digest`]).
    Model(Digest),
}

// === impl Neighbour ===

impl Neighbour {
    /// The server that has introduced itself so, under this name.
    pub(crate) fn new(
        name: ServerName,
        address: SocketAddr,
        said: Introduction,
        (channel, rest): (Channel, Rest),
    ) -> Self {
        let host = Host::new(&name);
        Self { name, address, host, said, channel, rest }
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
        self.rest.until().is_some_and(|until| Instant::now() < until)
    }

    /// The server is not asked for so long.
    pub(crate) fn rest(&self, time: Duration) {
        *self.rest.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + time);
    }

    /// Where its samples are asked for, in messages of so many bytes at most.
    pub(crate) fn samples(&self, most_message: ByteCount) -> SamplesClient<Channel> {
        SamplesClient::new(self.channel.clone()).max_decoding_message_size(most_message.as_usize())
    }
}

// === impl Rest ===

impl Rest {
    fn until(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
