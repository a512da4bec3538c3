//! Several servers as one dataset: their partitions, one after the other, in the order in which the servers are named.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::try_join_all;
use headwater_types::{DatasetName, Digest, Field, JobName, ModelName};
use tokio::runtime::Handle;

use crate::address::ServerAddress;
use crate::connection::Server;
use crate::counters::{Counters, Counting};
use crate::describe::{self, describe};
use crate::error::ClientError;
use crate::model::{ModelInfo, RegisteredModel};
use crate::named::check_named;
use crate::options::ClientOptions;
use crate::partition::Partition;
use crate::throttle::Throttle;
use crate::union::Union;

/// A dataset on one or more servers. Cheap to clone; clones share counters and connections.
#[derive(Clone, Debug)]
pub struct Dataset(pub(crate) Arc<Inner>);

/// What the clones of a dataset share. Each kind of call has its own `impl Dataset`, in a file of its own.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) union: Union,
    /// The server of each partition.
    pub(crate) servers: Vec<Arc<Server>>,
    digest: Digest,
    pub(crate) options: ClientOptions,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) counting: Arc<Counting>,
    /// Where `connect` ran: streams work there, wherever they are started.
    pub(crate) runtime: Handle,
    /// The job that the dataset is read for, where one was named.
    job: Mutex<Option<JobName>>,
}

// === impl Inner ===

impl Inner {
    /// The job that calls name.
    pub(crate) fn job(&self) -> MutexGuard<'_, Option<JobName>> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Dataset ===

impl Dataset {
    /// Asks every server what it serves, and sees to it that together they serve each sample once. A server that cannot
    /// be reached is waited for as long as [`Retry::connect_for`](crate::Retry::connect_for) says.
    ///
    /// # Errors
    /// No server, or one twice; a server that does not answer; servers that do not make one dataset.
    pub async fn connect(
        servers: &[ServerAddress],
        name: &DatasetName,
        options: ClientOptions,
    ) -> Result<Self, ClientError> {
        Self::connect_to(servers, name, None, options).await
    }

    /// As [`connect`](Self::connect), to the generation whose partitions have these digests, in the order of the
    /// servers, where one is named: for a process that takes part in a run which holds that generation.
    ///
    /// # Errors
    /// A server that does not hold the generation any more ([`ClientError::DatasetChanged`]); and as for `connect`.
    pub async fn connect_to(
        servers: &[ServerAddress],
        name: &DatasetName,
        generation: Option<&[Digest]>,
        options: ClientOptions,
    ) -> Result<Self, ClientError> {
        check_named(servers)?;
        if generation.is_some_and(|digests| digests.len() != servers.len()) {
            return Err(ClientError::Request("the generation has another number of partitions than there are servers"));
        }
        let named = |place: usize| generation.map(|digests| digests[place]);
        let options = ClientOptions { retry: options.retry.clone().consistent(), ..options };
        let idle = options.streams_per_server.get();
        let throttle = options.bandwidth.map(Throttle::new);
        let counting = Arc::new(Counting::default());
        let server = |address: &ServerAddress| {
            Server::new(address.clone(), options.access.clone(), throttle.clone(), Arc::clone(&counting.arriving), idle)
                .map(Arc::new)
        };
        let servers: Vec<_> = servers.iter().map(server).collect::<Result<_, _>>()?;
        let asked = servers.iter().enumerate();
        let asked = asked.map(|(place, server)| describe(server, (name, named(place)), &options.retry, place as u64));
        let union = Union::new(name.clone(), &servers, try_join_all(asked).await?, &options)?;
        let (digest, runtime) = (union.digest(), Handle::current());
        let job = Mutex::default();
        Ok(Self(Arc::new(Inner { union, servers, digest, options, throttle, counting, runtime, job })))
    }

    /// The dataset's name.
    pub fn name(&self) -> &DatasetName {
        &self.0.union.name
    }

    /// How many samples the dataset has.
    pub fn len(&self) -> u64 {
        self.0.union.samples()
    }

    /// Whether the dataset has no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// BLAKE3 over the partitions' digests, in order: the same samples on the same servers in the same order.
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// BLAKE3 over the partitions' digests of names, in order: the same keys and labels at the same indices, also where
    /// files were only copied or touched.
    ///
    /// # Errors
    /// A server that is too old to have one.
    pub fn names_digest(&self) -> Result<Digest, ClientError> {
        self.0.union.names_digest()
    }

    /// What a person who trains on the dataset must know: parts that are missing, files that were left out. The log has
    /// it too.
    pub fn remarks(&self) -> &[String] {
        &self.0.union.remarks
    }

    /// The class names of all servers. Labels are positions in this list, on whichever server a sample is. Lists that
    /// agree as far as they go keep their order; otherwise the names of all are sorted.
    pub fn classes(&self) -> &[String] {
        &self.0.union.classes
    }

    /// The fields that samples have on every server, of the same kind on each.
    pub fn fields(&self) -> Vec<Field> {
        self.0.union.fields()
    }

    /// What each server has, in the order of their samples.
    pub fn partitions(&self) -> &[Partition] {
        &self.0.union.partitions
    }

    /// The options.
    pub fn options(&self) -> &ClientOptions {
        &self.0.options
    }

    /// The limit on what is received; `None` where [`ClientOptions::bandwidth`] sets none.
    pub fn throttle(&self) -> Option<&Throttle> {
        self.0.throttle.as_ref()
    }

    /// A model, which must be the same (file, recipe, output, feature length) on all servers.
    ///
    /// # Errors
    /// A server without the model, or with another of its name.
    pub fn model(&self, name: &ModelName) -> Result<ModelInfo, ClientError> {
        self.0.union.model(name)
    }

    /// A model, which must be the same on all servers that have it; for requests that ask the others for pixels.
    ///
    /// # Errors
    /// No server with the model, or servers with different ones of its name.
    pub fn registered_model(&self, name: &ModelName) -> Result<RegisteredModel, ClientError> {
        self.0.union.registered_model(name)
    }

    /// How long each of so many answers to a small question takes, on one connection to the server of the partition at
    /// this place.
    pub async fn round_trips(&self, server: usize, times: usize) -> Result<Vec<Duration>, ClientError> {
        let unknown = ClientError::Request("there is no such server");
        let server = self.0.servers.get(server).ok_or(unknown)?;
        describe::round_trips(server, &self.0.union.name, times, &self.0.options.retry).await
    }

    /// What this dataset and its clones have done so far.
    pub fn counters(&self) -> Counters {
        self.0.counting.read()
    }
}
