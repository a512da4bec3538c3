//! Several servers as one dataset: their partitions, one after the other, in the order in which the servers are named.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headwater_discovery::{ServerAddress, Servers};
use headwater_types::{DatasetName, Digest, Field, JobName, ModelName};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use crate::counters::{Counters, Counting};
use crate::describe;
use crate::error::ClientError;
use crate::model::{ModelInfo, RegisteredModel};
use crate::options::ClientOptions;
use crate::partition::Partition;
use crate::replicas::{Asked, Gathered, Keeper, Means, Replica, Seat, Wanted, gather};
use crate::throttle::Throttle;
use crate::union::Union;

/// A dataset on one or more servers. Cheap to clone; clones share counters and connections.
#[derive(Clone, Debug)]
pub struct Dataset(pub(crate) Arc<Inner>);

/// What the clones of a dataset share. Each kind of call has its own `impl Dataset`, in a file of its own.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) union: Union,
    /// The servers of each partition.
    pub(crate) servers: Vec<Arc<Seat>>,
    /// What the caller has named.
    named: Servers,
    digest: Digest,
    pub(crate) options: ClientOptions,
    pub(crate) throttle: Option<Throttle>,
    pub(crate) counting: Arc<Counting>,
    /// Where `connect` ran: streams work there, wherever they are started.
    pub(crate) runtime: Handle,
    /// The job that the dataset is read for, where one was named.
    job: Mutex<Option<JobName>>,
    /// Looks after servers that stand in for each other, or that are looked up.
    _keeper: Option<AbortOnDropHandle<()>>,
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
    /// Asks every server what it serves, and sees to it that together they serve each sample: servers that serve the
    /// same part stand in for each other. A server that cannot be reached is waited for as long as
    /// [`Retry::connect_for`](crate::Retry::connect_for) says; where the others have everything, it is gone on without.
    ///
    /// # Errors
    /// No server, or one twice; a server that does not answer; servers that do not make one dataset.
    pub async fn connect(
        servers: impl Into<Servers>,
        name: &DatasetName,
        options: ClientOptions,
    ) -> Result<Self, ClientError> {
        Self::connect_to(servers, name, None, options).await
    }

    /// As [`connect`](Self::connect), to the generation whose partitions have these digests, in order, where one is
    /// named: for a process that takes part in a run which holds that generation.
    ///
    /// # Errors
    /// Servers that do not hold the generation any more ([`ClientError::DatasetChanged`]); and as for `connect`.
    pub async fn connect_to(
        servers: impl Into<Servers>,
        name: &DatasetName,
        generation: Option<&[Digest]>,
        options: ClientOptions,
    ) -> Result<Self, ClientError> {
        let named: Servers = servers.into();
        let addresses = named.find().await?;
        if generation.is_some_and(|digests| digests.len() > addresses.len()) {
            return Err(ClientError::Request("the generation has more partitions than there are servers"));
        }
        let options = ClientOptions { retry: options.retry.clone().consistent(), ..options };
        let throttle = options.bandwidth.map(Throttle::new);
        let counting = Arc::new(Counting::default());
        let means = Means {
            access: options.access.clone(),
            throttle: throttle.clone(),
            arriving: Arc::clone(&counting.arriving),
            most_idle: options.streams_per_server.get(),
        };
        let servers = addresses.iter().map(|address| means.server(address).map(Arc::new));
        let servers: Vec<_> = servers.collect::<Result<_, _>>()?;
        let wanted = Wanted { name, generation, is_found: !named.is_fixed() };
        let Gathered { partitions, absent } = gather(&servers, &wanted, &options).await?;
        let is_kept = !named.is_fixed() || !absent.is_empty() || partitions.iter().any(|of| of.len() > 1);
        let doubts = Arc::new(Notify::new());
        let seat = |of: &Vec<Replica>| {
            let asked = Asked { dataset: name.clone(), digest: of[0].description.digest };
            Seat::new(of, asked, Arc::clone(&doubts), options.hedge).map(Arc::new)
        };
        let servers: Vec<_> = partitions.iter().map(seat).collect::<Result<_, _>>()?;
        let union = Union::new(name.clone(), &servers, partitions, &absent, &options)?;
        let (digest, runtime) = (union.digest(), Handle::current());
        let keeper = is_kept.then(|| {
            let (seats, follower) = (union.kept(&servers), named.follow());
            let keeper = Keeper { seats, means, doubts, follower, strangers: BTreeSet::new() };
            AbortOnDropHandle::new(runtime.spawn(keeper.run()))
        });
        let job = Mutex::default();
        let inner = Inner { union, servers, named, digest, options, throttle, counting, runtime, job, _keeper: keeper };
        Ok(Self(Arc::new(inner)))
    }

    /// The same generation on the same servers, over connections and with counters of its own.
    ///
    /// # Errors
    /// As for [`connect_to`](Self::connect_to).
    pub async fn again(&self) -> Result<Self, ClientError> {
        let Inner { union, named, options, .. } = &*self.0;
        let generation: Vec<_> = union.partitions.iter().map(|partition| partition.digest).collect();
        Box::pin(Self::connect_to(named, &union.name, Some(&generation), options.clone())).await
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

    /// The servers of each partition, in the order of the partitions: those that are up, or were when last asked,
    /// before the others.
    pub fn replicas(&self) -> Vec<Vec<ServerAddress>> {
        let of = |seat: &Arc<Seat>| {
            let mut members = seat.members();
            members.sort_by_key(|member| member.standing());
            members.iter().map(|member| member.server.address().clone()).collect()
        };
        self.0.servers.iter().map(of).collect()
    }

    /// One server of each partition, which is up as far as is known.
    pub fn leaders(&self) -> Vec<ServerAddress> {
        self.replicas().into_iter().filter_map(|servers| servers.into_iter().next()).collect()
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
        let seat = self.0.servers.get(server).ok_or(unknown)?;
        describe::round_trips(&seat.best().server, &self.0.union.name, times, &self.0.options.retry).await
    }

    /// What this dataset and its clones have done so far.
    pub fn counters(&self) -> Counters {
        self.0.counting.read()
    }
}
