//! What each server holds of a dataset: consecutive indices, and the meaning of its labels.

use headwater_types::{
    AgreedLimits, ClassId, Digest, FailureKind, Fields, ImageLimits, Listing, Partition as Part, SampleFailure,
    SampleIndex,
};

use crate::classes;
use crate::description::Description;
use crate::error::ClientError;
use headwater_discovery::ServerAddress;

/// One server's part of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The server.
    pub address: ServerAddress,
    /// The index in the dataset of the partition's first sample.
    pub first: u64,
    /// How many samples the partition has.
    pub samples: u64,
    /// BLAKE3 over every key, version and label, as the server gave it.
    pub digest: Digest,
    /// Counts the generations since the server's start, from 1; 0 from a server that lists only then.
    pub generation: u64,
    /// What holds the samples: `folder`, `s3`, `tar` ...; empty from a server that does not say it.
    pub source: String,
    /// Which part of its listing the server serves.
    pub part: Part,
    /// The listing of the photos that the server has found, the other parts included.
    pub listing: Listing,
    /// Threads that decode and transform at the server.
    pub cpu_workers: u32,
    /// The server's version.
    pub server_version: String,
    /// Bytes of the partition's photos as they are stored.
    pub stored_bytes: u64,
    /// What the server's samples have beside their labels.
    pub fields: Fields,
    /// What photos may be at the server, and at this client.
    pub limits: AgreedLimits,
    /// Whether samples of one call may have epochs of their own at the server, and one sample be in a call twice.
    pub(crate) sample_epochs: bool,
    /// BLAKE3 over every key and label; `None` from a server that lists no names.
    pub(crate) names: Option<Digest>,
    /// The dataset's class for each class of the partition.
    pub(crate) labels: Vec<ClassId>,
}

// === impl Partition ===

impl Partition {
    /// The partition that a server describes, behind `first` samples of other servers.
    pub(crate) fn new(
        address: ServerAddress,
        first: u64,
        description: &Description,
        classes: &[String],
        own: ImageLimits,
    ) -> Self {
        Self {
            address,
            first,
            samples: description.samples,
            digest: description.digest,
            part: description.part,
            listing: description.listing.clone(),
            cpu_workers: description.cpu_workers,
            server_version: description.server_version.clone(),
            stored_bytes: description.stored_bytes,
            limits: AgreedLimits { announced: description.limits, own },
            fields: description.fields.clone(),
            sample_epochs: description.sample_epochs,
            names: description.names,
            labels: classes::places(&description.classes, classes),
            generation: description.generation,
            source: description.source.clone(),
        }
    }

    /// The digest over the partition's keys and labels.
    pub(crate) fn names(&self) -> Result<Digest, ClientError> {
        let (server, version) = (self.address.clone(), self.server_version.clone());
        self.names.ok_or(ClientError::NoNames { server, version })
    }

    /// The failure of a sample (its index in the partition) that the server sent in breach of the protocol.
    pub(crate) fn breach(&self, local: SampleIndex, problem: &str) -> SampleFailure {
        let message = format!("server {} sent sample {local} of its partition wrong: {problem}", self.address);
        SampleFailure::new(FailureKind::Internal, message)
    }

    /// The index in the dataset of the first sample behind the partition.
    pub fn end(&self) -> u64 {
        self.first + self.samples
    }
}
