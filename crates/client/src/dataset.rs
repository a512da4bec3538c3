//! Several servers as one dataset: their partitions, one after the other, in the order in which the servers are named.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use headwater_types::{ByteCount, DatasetName, Digest, ModelName, SampleIndex};
use headwater_wire::{Listed, Surveyed};
use tokio::runtime::Handle;

use crate::address::ServerAddress;
use crate::batch::{BatchPlan, BatchStream};
use crate::checked::CheckedRequest;
use crate::connection::Server;
use crate::counters::{Counters, Counting};
use crate::describe::{self, describe};
use crate::error::ClientError;
use crate::finish::Finisher;
use crate::job::FetchJobs;
use crate::listing::Lister;
use crate::model::{ModelInfo, RegisteredModel};
use crate::options::ClientOptions;
use crate::outlet::Outlet;
use crate::partition::Partition;
use crate::report::{self, ReportSummary, ReportedSample};
use crate::request::FetchRequest;
use crate::stream::SampleStream;
use crate::survey::Surveyor;
use crate::throttle::Throttle;
use crate::union::Union;

/// A dataset on one or more servers. Cheap to clone; clones share counters and connections.
#[derive(Clone, Debug)]
pub struct Dataset(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    union: Union,
    /// The server of each partition.
    servers: Vec<Arc<Server>>,
    digest: Digest,
    options: ClientOptions,
    throttle: Option<Throttle>,
    counting: Arc<Counting>,
    /// Where `connect` ran: streams work there, wherever they are started.
    runtime: Handle,
}

/// The size of a batch over a slow link, as time of the link,
const BATCH_TIME: Duration = Duration::from_millis(20);
/// and the least size.
const LEAST_BATCH: ByteCount = ByteCount::new(16 << 10);

// === impl Dataset ===

impl Dataset {
    /// Asks every server what it serves, and sees to it that together they serve each sample once. A server that cannot be
    /// reached is waited for as long as [`Retry::connect_for`](crate::Retry::connect_for) says.
    ///
    /// # Errors
    /// No server, or one twice; a server that does not answer; servers that do not make one dataset.
    pub async fn connect(
        servers: &[ServerAddress],
        name: &DatasetName,
        options: ClientOptions,
    ) -> Result<Self, ClientError> {
        check_named(servers)?;
        let options = ClientOptions { retry: options.retry.clone().consistent(), ..options };
        let idle = options.streams_per_server.get();
        let throttle = options.bandwidth.map(Throttle::new);
        let counting = Arc::new(Counting::default());
        let server = |address: &ServerAddress| {
            Server::new(address.clone(), throttle.clone(), Arc::clone(&counting.arriving), idle).map(Arc::new)
        };
        let servers: Vec<_> = servers.iter().map(server).collect::<Result<_, _>>()?;
        let asked = (0..).zip(&servers).map(|(task, server)| describe(server, name, &options.retry, task));
        let union = Union::new(name.clone(), &servers, try_join_all(asked).await?, &options)?;
        let (digest, runtime) = (union.digest(), Handle::current());
        Ok(Self(Arc::new(Inner { union, servers, digest, options, throttle, counting, runtime })))
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

    /// BLAKE3 over the partitions' digests of names, in order: the same keys and labels at the same indices, also where files were only
    /// copied or touched.
    ///
    /// # Errors
    /// A server that is too old to have one.
    pub fn names_digest(&self) -> Result<Digest, ClientError> {
        self.0.union.names_digest()
    }

    /// What a person who trains on the dataset must know: parts that are missing, files that were left out. The log has it too.
    pub fn remarks(&self) -> &[String] {
        &self.0.union.remarks
    }

    /// The class names of all servers, sorted. Labels are positions in this list, on whichever server a sample is.
    pub fn classes(&self) -> &[String] {
        &self.0.union.classes
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

    /// Payload bytes after which a server is asked to close a batch. Over a slow link batches are smaller: until a batch is
    /// whole nothing of it is of use, and a batch that is given up is given up whole.
    fn batch(&self) -> ByteCount {
        let most = self.0.options.batch;
        self.0.throttle.as_ref().map_or(most, |throttle| throttle.bytes_in(BATCH_TIME).max(LEAST_BATCH).min(most))
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

    /// Streams samples.
    ///
    /// # Errors
    /// Those of the request itself: an index past the end, a model that is missing or not the same everywhere, a way without what it
    /// needs.
    pub fn fetch(&self, request: FetchRequest) -> Result<SampleStream, ClientError> {
        let Inner { union, servers, options, counting, runtime, .. } = &*self.0;
        let request = CheckedRequest::new(request, union)?;
        let (total, window) = (request.wish.indices.len(), options.window.get());
        let outlet = Arc::new(Outlet::new(total, window, request.ordered, Arc::clone(counting)));
        let jobs =
            FetchJobs { request: &request, union, servers, options, batch: self.batch(), outlet: &outlet, counting };
        let jobs = jobs.of_all_servers();
        Ok(SampleStream::start(runtime, outlet, jobs))
    }

    /// How long each of so many answers to a small question takes, on one connection to the server of the partition at this
    /// place.
    pub async fn round_trips(&self, server: usize, times: usize) -> Result<Vec<Duration>, ClientError> {
        let unknown = ClientError::Request("there is no such server");
        let server = self.0.servers.get(server).ok_or(unknown)?;
        describe::round_trips(server, &self.0.union.name, times, &self.0.options.retry).await
    }

    /// What the headers of these photos say, without the photos: in order of their indices, each once. A photo whose header
    /// cannot be read is a failure beside the others. `came` hears how many further headers have come.
    pub async fn survey(
        &self,
        indices: &[SampleIndex],
        came: impl Fn(u64) + Sync,
    ) -> Result<Vec<Surveyed>, ClientError> {
        let mut sorted: Vec<u64> = indices.iter().map(|index| index.0).collect();
        sorted.sort_unstable();
        sorted.dedup();
        self.0.union.check_index(sorted.last().copied())?;
        let calls = self.0.union.partitions.iter().zip(&self.0.servers).map(|(partition, server)| {
            let from = sorted.partition_point(|&index| index < partition.first);
            let to = sorted.partition_point(|&index| index < partition.end());
            let (dataset, retry) = (self.0.union.name.as_str(), &self.0.options.retry);
            let (wanted, came) = (&sorted[from..to], &came);
            async move { Surveyor { server, dataset, partition, retry }.survey(wanted, came).await }
        });
        Ok(try_join_all(calls).await?.concat())
    }

    /// The keys, labels and stored sizes of these samples, in order, out of the servers' memory.
    ///
    /// # Errors
    /// A range past the dataset's end, a server that is too old for it, and as for fetching.
    pub async fn listing(&self, range: Range<u64>) -> Result<Vec<Listed>, ClientError> {
        self.0.union.check_index((!range.is_empty()).then(|| range.end - 1))?;
        let calls = self.0.union.partitions.iter().zip(&self.0.servers).map(|(partition, server)| {
            let (dataset, retry) = (self.0.union.name.as_str(), &self.0.options.retry);
            let local = |index: u64| index.clamp(partition.first, partition.end()) - partition.first;
            let wanted = local(range.start)..local(range.end);
            async move { Lister { server, dataset, partition, retry }.list(wanted).await }
        });
        Ok(try_join_all(calls).await?.concat())
    }

    /// Streams samples in the order of the request, finished, in batches.
    ///
    /// # Errors
    /// Those of [`Self::fetch`].
    pub fn fetch_batches(
        &self,
        request: FetchRequest,
        finisher: Finisher,
        plan: BatchPlan,
    ) -> Result<BatchStream, ClientError> {
        let samples = self.fetch(FetchRequest { ordered: true, ..request })?;
        Ok(BatchStream::start(&self.0.runtime, samples, finisher, plan))
    }

    /// Reports to the servers how much these samples mattered. They keep the latest loss of each sample, in memory.
    ///
    /// # Errors
    /// As for fetching: a server that cannot be reached, or that refuses.
    pub async fn report(&self, losses: &[(ReportedSample, f32)]) -> Result<ReportSummary, ClientError> {
        report::send(&self.0.union, &self.0.servers, &self.0.options.retry, losses).await
    }

    /// What this dataset and its clones have done so far.
    pub fn counters(&self) -> Counters {
        self.0.counting.read()
    }
}

/// Sees to it that servers are named, and none twice.
fn check_named(servers: &[ServerAddress]) -> Result<(), ClientError> {
    if servers.is_empty() {
        return Err(ClientError::NoServers);
    }
    let mut seen = BTreeSet::new();
    match servers.iter().find(|address| !seen.insert(*address)) {
        Some(twice) => Err(ClientError::DuplicateServer(twice.clone())),
        None => Ok(()),
    }
}
