//! Several servers as one dataset: their partitions, one after the other, in the order in which the servers are named.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use headwater_types::{ByteCount, DatasetName, Digest, Epoch, ModelName, Recipe, SampleIndex, Way};
use headwater_wire::{Choice, Fetch, Listed, Samples, Surveyed};
use tokio::runtime::Handle;

use crate::address::ServerAddress;
use crate::batch::{BatchPlan, BatchStream};
use crate::chunk::{ChunkSource, Sizing, Wish};
use crate::connection::Server;
use crate::counters::{Counters, Counting};
use crate::describe::{self, describe};
use crate::error::ClientError;
use crate::expect::Expectation;
use crate::finish::Finisher;
use crate::job::Job;
use crate::listing::Lister;
use crate::model::{self, ModelInfo, RegisteredModel};
use crate::options::ClientOptions;
use crate::outlet::Outlet;
use crate::partition::Partition;
use crate::refusals::Refusals;
use crate::report::{self, ReportSummary, ReportedSample};
use crate::request::{Addresses, FetchRequest, Indices, Ways};
use crate::stream::SampleStream;
use crate::survey::Surveyor;
use crate::throttle::Throttle;
use crate::union::Union;

/// A dataset on one or more servers. Cheap to clone; clones share counters and connections.
#[derive(Clone, Debug)]
pub struct Dataset(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: DatasetName,
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

/// What a batch is over a slow link, as time of the link; and at least.
const BATCH_TIME: Duration = Duration::from_millis(20);
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
        let union = Union::new(&servers, try_join_all(asked).await?, &options)?;
        let (name, digest, runtime) = (name.clone(), union.digest(), Handle::current());
        Ok(Self(Arc::new(Inner { name, union, servers, digest, options, throttle, counting, runtime })))
    }

    /// Its name.
    pub fn name(&self) -> &DatasetName {
        &self.0.name
    }

    /// How many samples it has.
    pub fn len(&self) -> u64 {
        self.0.union.samples()
    }

    /// Whether it has none.
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

    /// What somebody who trains on it must know: parts that are missing, files that were left out. ReportSummary in the log too.
    pub fn remarks(&self) -> &[String] {
        &self.0.union.remarks
    }

    /// Class names, sorted: those of all servers. Labels are positions in this list, on whichever server a sample is.
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

    /// Payload bytes after which a server is asked to close a batch. Over a slow link smaller ones: until a batch is whole
    /// nothing of it is of use, and what is given up is given up whole.
    fn batch(&self) -> ByteCount {
        let most = self.0.options.batch;
        self.0.throttle.as_ref().map_or(most, |throttle| throttle.bytes_in(BATCH_TIME).max(LEAST_BATCH).min(most))
    }

    /// A model, which must be the same (file, recipe, output, feature length) on all servers.
    pub fn model(&self, name: &ModelName) -> Result<ModelInfo, ClientError> {
        let RegisteredModel { info, servers } = self.registered_model(name)?;
        match servers.iter().position(|has| !has) {
            Some(place) => Err(self.lacks_model(place, name)),
            None => Ok(info),
        }
    }

    /// A model, which must be the same on all servers that have it; for requests that ask the others for pixels. At least one
    /// must have it.
    pub fn registered_model(&self, name: &ModelName) -> Result<RegisteredModel, ClientError> {
        let of = self.0.servers.iter().zip(&self.0.union.partitions).zip(&self.0.union.models);
        model::registered(name, of.map(|((s, p), models)| (&**s, p.limits.limits().max_payload(), &models[..])))
    }

    fn lacks_model(&self, place: usize, name: &ModelName) -> ClientError {
        model::unknown(name, &self.0.servers[place], &self.0.union.models[place])
    }

    /// Streams samples. The errors here are those of the request itself: an index past the end, a model that is missing
    /// or not the same everywhere, a cut without what it needs.
    pub fn fetch(&self, request: FetchRequest) -> Result<SampleStream, ClientError> {
        let FetchRequest { indices, recipe, ways, floats, addresses, model, ordered, measure_cpu } = request;
        let samples = self.len();
        if let Some(index) = indices.max().filter(|&index| index >= samples) {
            return Err(ClientError::OutOfRange { index, dataset: self.0.name.clone(), samples });
        }
        if ways.len().is_some_and(|len| len != samples) {
            let message = "a table of cuts and pixel codings must have one for each sample of the dataset";
            return Err(ClientError::Request(message));
        }
        self.check_addresses(&indices, &addresses)?;
        let registered = model.map(|name| self.registered_model(&name)).transpose()?;
        let model = registered.as_ref().map(|registered| &registered.info);
        let (takes_features, takes_pixels) = (ways.may_take_features(), ways.may_take_pixels());
        match (&model, &recipe) {
            (None, _) if takes_features => {
                return Err(ClientError::Request("the cut features needs a model: see --model"));
            }
            (None, None) if takes_pixels => {
                return Err(ClientError::Request("cuts between encoded and features need a recipe: see --recipe"));
            }
            (Some(model), Some(recipe)) if takes_features && model.recipe.digest() != recipe.digest() => {
                let message =
                    "features are made with the recipe that the model was registered with: leave --recipe out";
                return Err(ClientError::Request(message));
            }
            _ => {}
        }
        let has_model: Vec<_> = match &registered {
            Some(registered) => registered.servers.clone(),
            None => vec![false; self.0.servers.len()],
        };
        for (place, partition) in self.0.union.partitions.iter().enumerate().filter(|(place, _)| !has_model[*place]) {
            if let Some(model) = model
                && indices.any_in(partition.first..partition.end(), |index| ways.of(index) == Some(Way::FEATURES))
            {
                return Err(self.lacks_model(place, &model.name));
            }
        }
        let recipe = recipe.or_else(|| model.map(|model| model.recipe.clone()));

        let Inner { options, union: Union { partitions, .. }, servers, counting, .. } = &*self.0;
        let window = options.window.get();
        let outlet = Arc::new(Outlet::new(indices.len(), window, ordered, Arc::clone(counting)));
        let sizing = Sizing { options, ordered, streams: servers.len() * options.streams_per_server.get() };
        let expectation = Expectation {
            output: recipe.as_ref().map(Recipe::output_size),
            decode: recipe.as_ref().map(|recipe| recipe.stages().decode).unwrap_or_default(),
            feature_len: model.map(|model| model.feature_len),
            floats,
            allow_non_finite: options.allow_non_finite,
        };
        let wish = Wish { indices: indices.clone(), ways: ways.clone(), addresses: addresses.clone() };
        let job = |((partition, server), has_model): ((&Partition, &Arc<Server>), bool)| {
            let share = indices.len().min(partition.samples);
            let bytes = expectation.payload_bytes(partition, &ways);
            let size = sizing.chunk(share, bytes);
            let held = partition.first..partition.end();
            Arc::new(Job {
                server: Arc::clone(server),
                partition: partition.clone(),
                source: ChunkSource::new(wish.clone(), held, size, partition.sample_epochs),
                fetch: Fetch {
                    dataset: self.0.name.as_str().to_owned(),
                    dataset_digest: Some(partition.digest),
                    samples: Samples::List(Vec::new()),
                    recipe: recipe.clone().filter(|_| takes_pixels),
                    ways: Choice::All(Way::ENCODED),
                    floats_as_pixels: !floats,
                    seed: addresses.seed(),
                    epochs: Choice::All(Epoch::default()),
                    model: model.filter(|_| takes_features && has_model).map(|m| (m.name.clone(), Some(m.digest))),
                    batch_bytes: self.batch(),
                    measure_cpu,
                    max_payload: partition.limits.limits().max_payload(),
                    allow_non_finite: options.allow_non_finite,
                },
                expectation: expectation.clone(),
                live: match &ways {
                    Ways::Live(plan) => Some(plan.clone()),
                    Ways::All(_) | Ways::PerSample(_) => None,
                },
                pulse: Arc::default(),
                refusals: Refusals::default(),
                outlet: Arc::clone(&outlet),
                options: options.clone(),
                counting: Arc::clone(counting),
            })
        };
        let jobs = partitions.iter().zip(servers).zip(has_model).map(job).collect();
        Ok(SampleStream::start(&self.0.runtime, outlet, jobs))
    }

    /// Whether there is an epoch for each sample where there is not one for all, and whether the servers know of such.
    fn check_addresses(&self, indices: &Indices, addresses: &Addresses) -> Result<(), ClientError> {
        if addresses.len().is_some_and(|len| len != indices.len()) {
            return Err(ClientError::Request("a list of epochs must have one for each of the indices"));
        }
        if !addresses.differ() {
            return Ok(());
        }
        let asked = |partition: &&Partition| indices.any_in(partition.first..partition.end(), |_| true);
        match self.0.union.partitions.iter().filter(|partition| !partition.sample_epochs).find(asked) {
            None => Ok(()),
            Some(Partition { address, server_version, .. }) => {
                Err(ClientError::NoSampleEpochs { server: address.clone(), version: server_version.clone() })
            }
        }
    }

    /// Asks one server (a place among the partitions) a small question so many times, on one connection: how long each answer
    /// takes.
    pub async fn round_trips(&self, server: usize, times: usize) -> Result<Vec<Duration>, ClientError> {
        let unknown = ClientError::Request("there is no such server");
        let server = self.0.servers.get(server).ok_or(unknown)?;
        describe::round_trips(server, &self.0.name, times, &self.0.options.retry).await
    }

    /// What the headers of these photos say, without the photos: in order of their indices, each once. A photo whose header
    /// cannot be read is a failure beside the others. `came` is told of each further number of headers.
    pub async fn survey(
        &self,
        indices: &[SampleIndex],
        came: impl Fn(u64) + Sync,
    ) -> Result<Vec<Surveyed>, ClientError> {
        let mut sorted: Vec<u64> = indices.iter().map(|index| index.0).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let samples = self.len();
        if let Some(&index) = sorted.last().filter(|&&index| index >= samples) {
            return Err(ClientError::OutOfRange { index, dataset: self.0.name.clone(), samples });
        }
        let calls = self.0.union.partitions.iter().zip(&self.0.servers).map(|(partition, server)| {
            let from = sorted.partition_point(|&index| index < partition.first);
            let to = sorted.partition_point(|&index| index < partition.end());
            let (dataset, retry) = (self.0.name.as_str(), &self.0.options.retry);
            let (wanted, came) = (&sorted[from..to], &came);
            async move { Surveyor { server, dataset, partition, retry }.survey(wanted, came).await }
        });
        Ok(try_join_all(calls).await?.concat())
    }

    /// Keys, labels and stored sizes of these samples, without the photos: in order, out of the servers' memory.
    ///
    /// # Errors
    /// A range past the dataset's end, a server that is too old for it, and as for fetching.
    pub async fn listing(&self, range: Range<u64>) -> Result<Vec<Listed>, ClientError> {
        let samples = self.len();
        if range.end > samples && !range.is_empty() {
            return Err(ClientError::OutOfRange { index: range.end - 1, dataset: self.0.name.clone(), samples });
        }
        let calls = self.0.union.partitions.iter().zip(&self.0.servers).map(|(partition, server)| {
            let (dataset, retry) = (self.0.name.as_str(), &self.0.options.retry);
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

    /// Tells the servers how much these samples mattered: the latest loss of each is kept, in memory.
    ///
    /// # Errors
    /// As for fetching: a server that cannot be reached, or that refuses.
    pub async fn report(&self, losses: &[(ReportedSample, f32)]) -> Result<ReportSummary, ClientError> {
        report::send(&self.0.name, &self.0.union.partitions, &self.0.servers, &self.0.options.retry, losses).await
    }

    /// What has been done so far, by this dataset and its clones.
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
