//! One server's part of a request, which its workers share.

use std::sync::Arc;

use headwater_types::{ByteCount, Epoch, JobName, Recipe, Way};
use headwater_wire::{Choice, Fetch, Samples};

use crate::checked::CheckedRequest;
use crate::chunk_source::ChunkSource;
use crate::counters::Counting;
use crate::expectation::Expectation;
use crate::live::LivePlan;
use crate::model::RegisteredModel;
use crate::options::ClientOptions;
use crate::outlet::Outlet;
use crate::partition::Partition;
use crate::pulse::Pulse;
use crate::refusals::Refusals;
use crate::replicas::Seat;
use crate::sizing::{Sizing, payload_bytes};
use crate::trace::Origin;
use crate::union::Union;
use crate::ways::Ways;

/// What the workers of one server share.
#[derive(Debug)]
pub(crate) struct FetchJob {
    pub(crate) seat: Arc<Seat>,
    pub(crate) partition: Partition,
    pub(crate) source: ChunkSource,
    /// What every call asks, but for the samples, their ways and their epochs.
    pub(crate) fetch: Fetch,
    pub(crate) expectation: Expectation,
    /// The plan that says how samples travel, where that may change.
    pub(crate) live: Option<LivePlan>,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) refusals: Refusals,
    pub(crate) outlet: Arc<Outlet>,
    pub(crate) options: ClientOptions,
    pub(crate) counting: Arc<Counting>,
    /// Where traces begin.
    pub(crate) origin: Origin,
}

/// What the jobs of a request are made of.
pub(crate) struct FetchJobs<'a> {
    pub(crate) request: &'a CheckedRequest,
    pub(crate) union: &'a Union,
    /// The servers of each partition.
    pub(crate) servers: &'a [Arc<Seat>],
    pub(crate) options: &'a ClientOptions,
    /// Payload bytes after which a server is asked to close a batch.
    pub(crate) batch: ByteCount,
    pub(crate) outlet: &'a Arc<Outlet>,
    pub(crate) counting: &'a Arc<Counting>,
    /// The training job that reads.
    pub(crate) job: Option<JobName>,
}

// === impl FetchJob ===

impl FetchJob {
    /// How many calls run at once: so many to each server that there is when the fetch begins.
    pub(crate) fn streams(&self) -> usize {
        self.seat.streams(self.options.streams_per_server.get())
    }
}

// === impl FetchJobs ===

impl FetchJobs<'_> {
    /// One job for each server.
    pub(crate) fn of_all_servers(&self) -> Vec<Arc<FetchJob>> {
        let served = self.union.partitions.iter().zip(self.servers).enumerate();
        served.map(|(place, (partition, seat))| Arc::new(self.of(place, partition, seat))).collect()
    }

    fn of(&self, place: usize, partition: &Partition, seat: &Arc<Seat>) -> FetchJob {
        let expectation = self.expectation();
        FetchJob {
            seat: Arc::clone(seat),
            partition: partition.clone(),
            source: self.source(partition, &expectation),
            fetch: self.fetch(place, partition),
            expectation,
            live: match &self.request.wish.ways {
                Ways::Live(plan) => Some(plan.clone()),
                Ways::All(_) | Ways::PerSample(_) => None,
            },
            pulse: Arc::default(),
            refusals: Refusals::default(),
            outlet: Arc::clone(self.outlet),
            options: self.options.clone(),
            counting: Arc::clone(self.counting),
            origin: Origin {
                tracer: self.options.tracer.clone(),
                reader: self.options.reader,
                caller: self.request.caller.clone(),
            },
        }
    }

    fn expectation(&self) -> Expectation {
        let CheckedRequest { recipe, model, floats, fields, .. } = self.request;
        Expectation {
            output: recipe.as_ref().map(Recipe::output_size),
            decode: recipe.as_ref().map(|recipe| recipe.stages().decode).unwrap_or_default(),
            feature_len: model.as_ref().map(|model| model.info.feature_len),
            floats: *floats,
            fields: fields.iter().map(|field| field.kind).collect(),
            allow_non_finite: self.options.allow_non_finite,
        }
    }

    fn source(&self, partition: &Partition, expectation: &Expectation) -> ChunkSource {
        let CheckedRequest { wish, ordered, .. } = self.request;
        let of_one = self.options.streams_per_server.get();
        let streams = self.servers.iter().map(|seat| seat.streams(of_one)).sum();
        let sizing = Sizing { options: self.options, ordered: *ordered, streams };
        let share = wish.indices.len().min(partition.samples);
        let size = sizing.chunk(share, payload_bytes(expectation, partition, &wish.ways));
        ChunkSource::new(wish.clone(), partition.first..partition.end(), size, partition.sample_epochs)
    }

    /// What every call asks the server of the partition at this place.
    fn fetch(&self, place: usize, partition: &Partition) -> Fetch {
        let CheckedRequest { wish, recipe, model, cut, floats, measure_cpu, fields, .. } = self.request;
        let takes_features = |model: &&RegisteredModel| wish.ways.may_take_features() && model.servers[place];
        let model = model.as_ref().filter(takes_features).map(|model| &model.info);
        Fetch {
            dataset: self.union.name.as_str().to_owned(),
            dataset_digest: Some(partition.digest),
            samples: Samples::List(Vec::new()),
            recipe: recipe.clone().filter(|_| wish.ways.may_take_pixels()),
            ways: Choice::All(Way::ENCODED),
            floats_as_pixels: !floats,
            seed: wish.addresses.seed(),
            epochs: Choice::All(Epoch::default()),
            model: model.map(|model| (model.name.clone(), Some(model.digest))),
            cut: cut.clone().filter(|_| model.is_some()),
            batch_bytes: self.batch,
            measure_cpu: *measure_cpu,
            max_payload: partition.limits.limits().max_payload(),
            allow_non_finite: self.options.allow_non_finite,
            fields: fields.iter().map(|field| field.name.clone()).collect(),
            job: self.job.clone(),
            priority: self.options.priority,
            forwarded: false,
        }
    }
}
