//! The gRPC service: checks a call, then hands it to a stream.

use std::num::NonZeroUsize;
use std::sync::Arc;

use futures::stream;
use headwater_pipeline::{Account, ModelSet, Pipeline, Work};
use headwater_store::LeftOut;
use headwater_types::caps::MAX_REQUEST;
use headwater_types::{ByteCount, DatasetName, Digest, ModelName, Partition, SampleIndex};
use headwater_wire::proto::datasets_server::{Datasets, DatasetsServer};
use headwater_wire::proto::losses_server::{Losses, LossesServer};
use headwater_wire::proto::samples_server::{Samples, SamplesServer};
use headwater_wire::proto::{
    self, DatasetDescription, DescribeRequest, FetchRequest, ListRequest, ModelDescription, SurveyRequest,
};
use headwater_wire::report::{Report, Which};
use headwater_wire::status::{Invalid, Refusal};
use headwater_wire::{Asked, Fetch, List, Survey};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status};

use crate::body::WithBodies;
use crate::importance::Importance;
use crate::life::Life;
use crate::list::{self, Lists};
use crate::metrics::Metrics;
use crate::peer::Peer;
use crate::stream as call;
use crate::streams::Streams;
use crate::survey::{self, Headers};

/// What all calls share.
pub(crate) struct Shared {
    pub(crate) dataset: DatasetName,
    /// Of what was listed.
    pub(crate) part: Partition,
    /// Made at random at the start, so that who reaches this server by two names sees that it is one.
    pub(crate) instance: [u8; 16],
    pub(crate) pipeline: Pipeline,
    pub(crate) models: ModelSet,
    pub(crate) importance: Arc<Importance>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) stream_window: NonZeroUsize,
    pub(crate) max_streams: NonZeroUsize,
    pub(crate) stream_permits: Arc<Semaphore>,
    pub(crate) streams: Streams,
    /// Cancelled when the server begins to drain.
    pub(crate) stopping: CancellationToken,
}

/// The names of the services, as health knows them.
pub(crate) const SERVICES: [&str; 3] = [
    <DatasetsServer<StorageService> as NamedService>::NAME,
    <SamplesServer<StorageService> as NamedService>::NAME,
    <LossesServer<StorageService> as NamedService>::NAME,
];

/// All services in one; they answer from the moment that the server listens.
pub(crate) struct StorageService {
    pub(crate) dataset: DatasetName,
    pub(crate) life: Arc<Life>,
    pub(crate) metrics: Arc<Metrics>,
}

// === impl Shared ===

impl Shared {
    /// Memory granted to samples in flight.
    pub(crate) fn memory_in_use(&self) -> ByteCount {
        ByteCount::new(self.pipeline.memory().into_iter().map(|budget| budget.in_use().get()).sum())
    }

    /// Samples of a stream that are worked on at a time: enough that a model's next batch fills while one runs.
    pub(crate) fn window(&self, work: &Work) -> usize {
        let for_model = work.model.as_ref().map_or(0, |model| 4 * model.max_batch().get());
        self.stream_window.get().max(for_model)
    }

    /// Streams that are open, of samples and of headers.
    pub(crate) fn open_streams(&self) -> usize {
        self.max_streams.get().saturating_sub(self.stream_permits.available_permits())
    }

    /// Counts a refusal on its way to the caller.
    fn refuse(&self, refusal: impl Into<Refusal>) -> Status {
        self.metrics.refuse(refusal)
    }

    /// No new streams while the server drains.
    fn check_running(&self) -> Result<(), Status> {
        if self.stopping.is_cancelled() { Err(self.refuse(Refusal::Stopping)) } else { Ok(()) }
    }

    fn check_digest(&self, expected: Option<Digest>) -> Result<(), Status> {
        match expected.is_some_and(|digest| digest != self.pipeline.catalog.digest()) {
            true => Err(self.refuse(Refusal::Changed { what: "dataset" })),
            false => Ok(()),
        }
    }

    /// A place among the streams.
    fn place(&self) -> Result<OwnedSemaphorePermit, Status> {
        let busy = |_| self.refuse(Refusal::Busy { limit: self.max_streams.get() });
        Arc::clone(&self.stream_permits).try_acquire_owned().map_err(busy)
    }

    fn work(&self, fetch: &Fetch, account: Account) -> Result<Work, Status> {
        let model = match &fetch.model {
            None => None,
            Some((name, digest)) => {
                let model = self.models.get(name).ok_or_else(|| self.refuse(self.unknown_model(name)))?;
                if digest.is_some_and(|digest| digest != model.digest()) {
                    return Err(self.refuse(Refusal::Changed { what: "model" }));
                }
                Some(Arc::clone(model))
            }
        };
        let recipe = fetch.recipe.clone().map(Arc::new);
        let Fetch { measure_cpu, max_payload, allow_non_finite, .. } = *fetch;
        Ok(Work { recipe, model, measure_cpu, account, max_payload, allow_non_finite })
    }

    fn unknown_model(&self, asked: &ModelName) -> Refusal {
        let registered: Vec<_> = self.models.iter().map(|model| model.name().as_str()).collect();
        Refusal::UnknownModel { asked: asked.to_string(), registered: registered.join(", ") }
    }
}

#[tonic::async_trait]
impl Datasets for StorageService {
    async fn describe(&self, request: Request<DescribeRequest>) -> Result<Response<DatasetDescription>, Status> {
        let shared = self.shared(&request.get_ref().dataset)?;
        let catalog = &shared.pipeline.catalog;
        let listing = catalog.listing();
        let models = shared.models.iter().map(|model| ModelDescription {
            name: model.name().to_string(),
            digest: model.digest().as_bytes().to_vec().into(),
            recipe: model.recipe().to_toml(),
            output: model.output().to_owned(),
            feature_len: u32::try_from(model.feature_len()).unwrap_or(u32::MAX),
            device: model.device().to_string(),
        });
        Ok(Response::new(DatasetDescription {
            dataset: shared.dataset.to_string(),
            samples: catalog.len() as u64,
            digest: catalog.digest().as_bytes().to_vec().into(),
            classes: catalog.classes().to_vec(),
            models: models.collect(),
            cpu_workers: u32::try_from(shared.pipeline.pool.workers()).unwrap_or(u32::MAX),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
            stored_bytes: catalog.bytes_total().get(),
            part: Some(proto::Part { number: shared.part.number(), count: shared.part.count() }),
            listing: Some(proto::Listing {
                samples: listing.samples,
                digest: listing.digest.as_bytes().to_vec().into(),
                sketch: listing.sketch.hashes().collect(),
            }),
            instance: shared.instance.to_vec().into(),
            sample_epochs: true,
            names_digest: catalog.names().as_bytes().to_vec().into(),
            limits: Some(shared.pipeline.limits.into()),
            left_out: catalog.skipped().left_out(listing.samples).into_iter().map(told).collect(),
        }))
    }

    type ListStream = Lists;

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<Lists>, Status> {
        let list = List::try_from(request.into_inner()).map_err(|invalid| self.metrics.refuse(invalid))?;
        let shared = self.shared(&list.dataset)?;
        shared.check_running()?;
        shared.check_digest(list.dataset_digest)?;
        let (end, samples) = (list.first.saturating_add(list.count as u64), shared.pipeline.catalog.len());
        if end > samples as u64 {
            let message = format!("samples up to {end} were asked for, and the partition has {samples}");
            return Err(shared.refuse(Invalid::new(message)));
        }
        let permit = shared.place()?;
        tracing::debug!(first = list.first, samples = list.count, "list");
        Ok(Response::new(list::start(Arc::clone(shared), &list, permit)))
    }
}

#[tonic::async_trait]
impl Samples for StorageService {
    /// What it would say is in the body that the response carries.
    type FetchStream = stream::Empty<Result<proto::FetchBatch, Status>>;

    async fn fetch(&self, request: Request<FetchRequest>) -> Result<Response<Self::FetchStream>, Status> {
        let peer = peer(&request)?;
        let fetch = Fetch::try_from(request.into_inner()).map_err(|invalid| self.metrics.refuse(invalid))?;
        let shared = self.shared(&fetch.dataset)?;
        shared.check_running()?;
        shared.check_digest(fetch.dataset_digest)?;
        if shared.pipeline.pool.workers() == 0
            && let Some(Asked { way, .. }) = fetch.iter().find(|asked| asked.way.is_offloaded())
        {
            return Err(shared.refuse(Refusal::NoCpuWorkers { cut: way.cut() }));
        }
        let work = shared.work(&fetch, shared.streams.account(&peer))?;
        let permit = shared.place()?;
        tracing::debug!(?peer, samples = fetch.samples.len(), seed = fetch.seed.0, "fetch");
        let body = call::start(Arc::clone(shared), fetch, work, peer, permit);
        Ok(body.into_response(stream::empty()))
    }

    type SurveyStream = Headers;

    async fn survey(&self, request: Request<SurveyRequest>) -> Result<Response<Headers>, Status> {
        let peer = peer(&request)?;
        let survey = Survey::try_from(request.into_inner()).map_err(|invalid| self.metrics.refuse(invalid))?;
        let shared = self.shared(&survey.dataset)?;
        shared.check_running()?;
        shared.check_digest(survey.dataset_digest)?;
        let permit = shared.place()?;
        tracing::debug!(samples = survey.samples.len(), "survey");
        Ok(Response::new(survey::start(Arc::clone(shared), survey, shared.streams.account(&peer), permit)))
    }
}

#[tonic::async_trait]
impl Losses for StorageService {
    async fn report(&self, request: Request<proto::ReportRequest>) -> Result<Response<proto::ReportSummary>, Status> {
        let Report { dataset, dataset_digest, samples, losses } =
            Report::try_from(request.into_inner()).map_err(|invalid| self.metrics.refuse(invalid))?;
        let shared = self.shared(&dataset)?;
        shared.check_digest(dataset_digest)?;
        let catalog = &shared.pipeline.catalog;
        let indices: Vec<_> = match samples {
            Which::Indices(indices) => indices.into_iter().map(|index| Some(SampleIndex(index))).collect(),
            // A thousand of them take a quarter of a millisecond.
            Which::Keys(keys) => keys.iter().map(|key| catalog.find(key.as_str())).collect(),
        };
        let kept = |(index, loss): (Option<SampleIndex>, f32)| index.is_some_and(|i| shared.importance.keep(i, loss));
        let kept = indices.into_iter().zip(losses).filter(|&each| kept(each)).count();
        Ok(Response::new(proto::ReportSummary { kept: kept as u64 }))
    }
}

/// What the listing left out for one reason, as clients hear of it.
fn told(left: LeftOut) -> proto::LeftOut {
    let LeftOut { reason, count, warning, first, suffixes, is_usual } = left;
    let (reason, warning) = (reason.as_str().to_owned(), warning.to_owned());
    proto::LeftOut { reason, count, warning, first, suffixes, usual: is_usual }
}

impl StorageService {
    /// What is served, if it is this dataset; and if it is served yet.
    fn shared(&self, asked: &str) -> Result<&Arc<Shared>, Status> {
        if asked != self.dataset.as_str() {
            let asked = asked.chars().take(100).collect();
            return Err(self.metrics.refuse(Refusal::UnknownDataset { asked, served: self.dataset.to_string() }));
        }
        self.life.shared().map_err(|refusal| self.metrics.refuse(refusal))
    }

    /// Adds the services with the size of messages that they take. The messages that they give are as long as each client allows.
    pub(crate) fn add_to(self, routes: &mut RoutesBuilder) {
        let (service, most) = (Arc::new(self), MAX_REQUEST.as_usize());
        routes
            .add_service(DatasetsServer::from_arc(Arc::clone(&service)).max_decoding_message_size(most))
            .add_service(WithBodies(SamplesServer::from_arc(Arc::clone(&service)).max_decoding_message_size(most)))
            .add_service(LossesServer::from_arc(service).max_decoding_message_size(most));
    }
}

/// Who calls.
fn peer<T>(request: &Request<T>) -> Result<Peer, Status> {
    request.extensions().get::<Peer>().cloned().ok_or_else(|| Status::internal("a call without a connection"))
}
