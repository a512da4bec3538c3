//! The calls of the protocol, each in a file of its own.
//!
//! A request comes to the [`Desk`], which makes the checks that all calls share, and goes to its call from there.

mod desk;

mod datasets;
mod describe;
mod differences;
mod list;

mod fetch;
mod survey;

mod report;

mod ingest;
mod trainings;

mod brought;
mod labellings;
mod labels;
mod models;
mod relabel;

mod announce;
mod cached;
mod low;
mod replaced;

mod cache;
mod introduce;
mod reload;

use std::sync::Arc;

use futures::stream;
use headwater_types::caps::MAX_REQUEST;
use headwater_wire::proto::caches_server::{Caches, CachesServer};
use headwater_wire::proto::datasets_server::{Datasets, DatasetsServer};
use headwater_wire::proto::homes_server::{Homes, HomesServer};
use headwater_wire::proto::ingests_server::{Ingests, IngestsServer};
use headwater_wire::proto::jobs_server::{Jobs, JobsServer};
use headwater_wire::proto::labels_server::{Labels, LabelsServer};
use headwater_wire::proto::losses_server::{Losses, LossesServer};
use headwater_wire::proto::models_server::{Models, ModelsServer};
use headwater_wire::proto::reloads_server::{Reloads, ReloadsServer};
use headwater_wire::proto::samples_server::{Samples, SamplesServer};
use headwater_wire::proto::trainings_server::{Trainings, TrainingsServer};
use headwater_wire::proto::{
    ActivateModelRequest, Activation, AnnounceAnswer, AnnounceRequest, AskLabelsRequest, AskVersionsRequest,
    BeginPushRequest, BeginTrainingRequest, CacheReport, CacheRequest, CachedAnswer, CachedRequest,
    ControlLabellingRequest, CountLabelsRequest, DatasetDescription, DatasetList, DescribeRequest, DifferencesRequest,
    EndTrainingRequest, FetchBatch, FetchRequest, Front, IngestPart, IntroduceRequest, Introduction, LabelCounts,
    LabelFeaturesRequest, LabelledFeatures, Labelling, LabellingList, ListDatasetsRequest, ListLabellingsRequest,
    ListModelsRequest, ListRequest, LowAnswer, LowRequest, ModelList, ModelPiece, ModelVersions, OfferModelRequest,
    OpenFrontRequest, OpenLabellingRequest, OpenedLabelling, PrepareTrainingRequest, PullPieceRequest,
    PushPieceRequest, PushState, RelabelRequest, ReloadRequest, ReplacedAnswer, ReplacedRequest, ReportRequest,
    ReportSummary, RollBackModelRequest, ScorePart, SurveyRequest, TrainPart, TrainingBegun, TrainingEnded,
};
use tonic::server::NamedService;
use tonic::service::RoutesBuilder;
use tonic::{Request, Response, Status, Streaming};

use crate::body::WithBodies;

pub(crate) use desk::Desk;

/// The names of the services, as health knows them.
pub(crate) const SERVICES: [&str; 11] = [
    <DatasetsServer<Desk> as NamedService>::NAME,
    <SamplesServer<Desk> as NamedService>::NAME,
    <LossesServer<Desk> as NamedService>::NAME,
    <CachesServer<Desk> as NamedService>::NAME,
    <JobsServer<Desk> as NamedService>::NAME,
    <LabelsServer<Desk> as NamedService>::NAME,
    <ModelsServer<Desk> as NamedService>::NAME,
    <IngestsServer<Desk> as NamedService>::NAME,
    <TrainingsServer<Desk> as NamedService>::NAME,
    <HomesServer<Desk> as NamedService>::NAME,
    <ReloadsServer<Desk> as NamedService>::NAME,
];

/// Adds the services with the size of messages that they take. The messages that they give are as long as each client
/// allows.
pub(crate) fn add_services(desk: Desk, routes: &mut RoutesBuilder) {
    let (desk, most) = (Arc::new(desk), MAX_REQUEST.as_usize());
    routes
        .add_service(DatasetsServer::from_arc(Arc::clone(&desk)).max_decoding_message_size(most))
        .add_service(WithBodies(SamplesServer::from_arc(Arc::clone(&desk)).max_decoding_message_size(most)))
        .add_service(LossesServer::from_arc(Arc::clone(&desk)).max_decoding_message_size(most))
        .add_service(CachesServer::from_arc(Arc::clone(&desk)).max_decoding_message_size(most))
        .add_service(JobsServer::from_arc(Arc::clone(&desk)).max_decoding_message_size(most))
        .add_service(LabelsServer::from_arc(Arc::clone(&desk)).max_decoding_message_size(most))
        .add_service(ModelsServer::from_arc(Arc::clone(&desk)).max_decoding_message_size(most))
        .add_service(IngestsServer::from_arc(Arc::clone(&desk)).max_decoding_message_size(most))
        .add_service(TrainingsServer::from_arc(Arc::clone(&desk)).max_decoding_message_size(most))
        .add_service(HomesServer::from_arc(Arc::clone(&desk)).max_decoding_message_size(most))
        .add_service(ReloadsServer::from_arc(desk).max_decoding_message_size(most));
}

#[tonic::async_trait]
impl Datasets for Desk {
    async fn list_datasets(&self, _request: Request<ListDatasetsRequest>) -> Result<Response<DatasetList>, Status> {
        datasets::list_datasets(self).map(Response::new)
    }

    async fn describe(&self, request: Request<DescribeRequest>) -> Result<Response<DatasetDescription>, Status> {
        describe::describe(self, request.get_ref()).map(Response::new)
    }

    type ListStream = list::ListBatches;

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<Self::ListStream>, Status> {
        list::list(self, request).map(Response::new)
    }

    type DifferencesStream = differences::DifferencesBatches;

    async fn differences(
        &self,
        request: Request<DifferencesRequest>,
    ) -> Result<Response<Self::DifferencesStream>, Status> {
        differences::differences(self, request).await.map(Response::new)
    }
}

#[tonic::async_trait]
impl Samples for Desk {
    /// Its messages are in the body that the response carries.
    type FetchStream = stream::Empty<Result<FetchBatch, Status>>;

    async fn fetch(&self, request: Request<FetchRequest>) -> Result<Response<Self::FetchStream>, Status> {
        fetch::fetch(self, request).await.map(|body| body.into_response(stream::empty()))
    }

    type SurveyStream = survey::SurveyBatches;

    async fn survey(&self, request: Request<SurveyRequest>) -> Result<Response<Self::SurveyStream>, Status> {
        survey::survey(self, request).map(Response::new)
    }
}

#[tonic::async_trait]
impl Losses for Desk {
    async fn report(&self, request: Request<ReportRequest>) -> Result<Response<ReportSummary>, Status> {
        report::report(self, request).map(Response::new)
    }
}

#[tonic::async_trait]
impl Caches for Desk {
    async fn cache(&self, _request: Request<CacheRequest>) -> Result<Response<CacheReport>, Status> {
        cache::cache(self).map(Response::new)
    }
}

#[tonic::async_trait]
impl Jobs for Desk {
    async fn announce(&self, request: Request<AnnounceRequest>) -> Result<Response<AnnounceAnswer>, Status> {
        announce::announce(self, request).map(Response::new)
    }

    async fn cached(&self, request: Request<CachedRequest>) -> Result<Response<CachedAnswer>, Status> {
        cached::cached(self, request).await.map(Response::new)
    }

    async fn low(&self, request: Request<LowRequest>) -> Result<Response<LowAnswer>, Status> {
        low::low(self, request).await.map(Response::new)
    }

    async fn replaced(&self, request: Request<ReplacedRequest>) -> Result<Response<ReplacedAnswer>, Status> {
        replaced::replaced(self, request).map(Response::new)
    }
}

#[tonic::async_trait]
impl Labels for Desk {
    type RelabelStream = relabel::Labellings;

    async fn relabel(&self, request: Request<RelabelRequest>) -> Result<Response<Self::RelabelStream>, Status> {
        relabel::relabel(self, request).await.map(Response::new)
    }

    async fn list_labellings(
        &self,
        _request: Request<ListLabellingsRequest>,
    ) -> Result<Response<LabellingList>, Status> {
        labellings::list(self).map(Response::new)
    }

    async fn control_labelling(
        &self,
        request: Request<ControlLabellingRequest>,
    ) -> Result<Response<Labelling>, Status> {
        labellings::control(self, request).await.map(Response::new)
    }

    type AskLabelsStream = labels::LabelBatches;

    async fn ask_labels(&self, request: Request<AskLabelsRequest>) -> Result<Response<Self::AskLabelsStream>, Status> {
        labels::ask(self, request).await.map(Response::new)
    }

    async fn count_labels(&self, request: Request<CountLabelsRequest>) -> Result<Response<LabelCounts>, Status> {
        labels::count(self, request).await.map(Response::new)
    }

    async fn open_labelling(
        &self,
        request: Request<OpenLabellingRequest>,
    ) -> Result<Response<OpenedLabelling>, Status> {
        brought::open(self, request).await.map(Response::new)
    }

    async fn label_features(
        &self,
        request: Request<LabelFeaturesRequest>,
    ) -> Result<Response<LabelledFeatures>, Status> {
        brought::label(self, request).await.map(Response::new)
    }
}

#[tonic::async_trait]
impl Models for Desk {
    async fn list_models(&self, _request: Request<ListModelsRequest>) -> Result<Response<ModelList>, Status> {
        models::list(self).map(Response::new)
    }

    async fn ask_versions(&self, request: Request<AskVersionsRequest>) -> Result<Response<ModelVersions>, Status> {
        models::standing(self, request.get_ref()).map(Response::new)
    }

    async fn begin_push(&self, request: Request<BeginPushRequest>) -> Result<Response<PushState>, Status> {
        models::begin(self, request.into_inner()).await.map(Response::new)
    }

    async fn open_front(&self, request: Request<OpenFrontRequest>) -> Result<Response<Front>, Status> {
        models::open_front(self, request.into_inner()).await.map(Response::new)
    }

    type PushPiecesStream = models::PushStates;

    async fn push_pieces(
        &self,
        request: Request<Streaming<PushPieceRequest>>,
    ) -> Result<Response<Self::PushPiecesStream>, Status> {
        models::take(self, request.into_inner()).map(Response::new)
    }

    async fn activate_model(&self, request: Request<ActivateModelRequest>) -> Result<Response<Activation>, Status> {
        models::activate(self, request.into_inner()).await.map(Response::new)
    }

    async fn roll_back_model(&self, request: Request<RollBackModelRequest>) -> Result<Response<Activation>, Status> {
        models::roll_back(self, request.into_inner()).await.map(Response::new)
    }

    async fn offer_model(&self, request: Request<OfferModelRequest>) -> Result<Response<BeginPushRequest>, Status> {
        models::offer(self, request.into_inner()).await.map(Response::new)
    }

    async fn pull_piece(&self, request: Request<PullPieceRequest>) -> Result<Response<ModelPiece>, Status> {
        models::give(self, request.into_inner()).await.map(Response::new)
    }
}

#[tonic::async_trait]
impl Ingests for Desk {
    type IngestStream = ingest::Answers;

    async fn ingest(&self, request: Request<Streaming<IngestPart>>) -> Result<Response<Self::IngestStream>, Status> {
        ingest::ingest(self, request).await.map(Response::new)
    }
}

#[tonic::async_trait]
impl Homes for Desk {
    async fn introduce(&self, _request: Request<IntroduceRequest>) -> Result<Response<Introduction>, Status> {
        introduce::introduce(self).map(Response::new)
    }
}

#[tonic::async_trait]
impl Reloads for Desk {
    type ReloadStream = reload::Progress;

    async fn reload(&self, request: Request<ReloadRequest>) -> Result<Response<Self::ReloadStream>, Status> {
        reload::reload(self, &request).map(Response::new)
    }
}

#[tonic::async_trait]
impl Trainings for Desk {
    type PrepareTrainingStream = trainings::Preparing;

    async fn prepare_training(
        &self,
        request: Request<PrepareTrainingRequest>,
    ) -> Result<Response<Self::PrepareTrainingStream>, Status> {
        trainings::prepare(self, request.into_inner()).map(Response::new)
    }

    async fn begin_training(&self, request: Request<BeginTrainingRequest>) -> Result<Response<TrainingBegun>, Status> {
        trainings::begin(self, request.into_inner()).await.map(Response::new)
    }

    type TrainStream = trainings::Trained;

    async fn train(&self, request: Request<Streaming<TrainPart>>) -> Result<Response<Self::TrainStream>, Status> {
        trainings::train(self, request).await.map(Response::new)
    }

    type ScoreWeightsStream = trainings::Judged;

    async fn score_weights(
        &self,
        request: Request<Streaming<ScorePart>>,
    ) -> Result<Response<Self::ScoreWeightsStream>, Status> {
        trainings::score(self, request).await.map(Response::new)
    }

    async fn end_training(&self, request: Request<EndTrainingRequest>) -> Result<Response<TrainingEnded>, Status> {
        trainings::end(self, request.get_ref()).map(Response::new)
    }
}
