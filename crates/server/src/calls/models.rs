//! `ListModels` and what is done with versions: which models a server has, and which of them serves.

use std::sync::Arc;

use futures::{StreamExt, stream};
use headwater_cli::exit::in_one_line;
use headwater_features::{Classifier, Extractor};
use headwater_types::Digest;
use headwater_wire::models::{
    Activate, AskedFront, AskedOffer, Front, ModelRole, PullPiece, PushOffer, PushPiece, PushState, ServedModel,
};
use headwater_wire::proto;
use headwater_wire::status::{Invalid, Refusal};
use tokio::task::spawn_blocking;
use tonic::{Status, Streaming};

use super::desk::Desk;
use crate::house::House;
use crate::models::Models;

pub(super) fn list(desk: &Desk) -> Result<proto::ModelList, Status> {
    let house = desk.life.house().map_err(|refusal| desk.refuse(refusal))?;
    let (models, active) = (&house.models, house.models.now());
    let heads = active.classifiers.heads().filter_map(|head| head.opened.as_ref().ok());
    let all = active.models.iter().map(|model| extractor(model)).chain(heads.map(|head| self::head(head)));
    let mut all: Vec<_> = all.map(|model| with_versions(model, models)).collect();
    all.sort_by(|one, other| one.name.as_str().cmp(other.name.as_str()));
    Ok(proto::ModelList { models: all.into_iter().map(Into::into).collect() })
}

pub(super) fn standing(desk: &Desk, request: &proto::AskVersionsRequest) -> Result<proto::ModelVersions, Status> {
    let name = request.name.parse().map_err(|error| desk.refuse(Invalid::new(format!("{error}"))))?;
    let house = desk.life.house().map_err(|refusal| desk.refuse(refusal))?;
    Ok(house.models.standing(&name).into())
}

pub(super) async fn begin(desk: &Desk, request: proto::BeginPushRequest) -> Result<proto::PushState, Status> {
    let offer = PushOffer::try_from(request).map_err(|invalid| desk.refuse(invalid))?;
    let state = with_models(desk, move |models| models.begin(&offer)).await?;
    Ok(state.into())
}

/// What becomes of each piece of a call.
pub(super) type PushStates = stream::BoxStream<'static, Result<proto::PushState, Status>>;

/// Takes piece after piece, each once the one before is written.
pub(super) fn take(desk: &Desk, pieces: Streaming<proto::PushPieceRequest>) -> Result<PushStates, Status> {
    let house = desk.life.house().map_err(|refusal| desk.refuse(refusal))?;
    let taking = Taking { house: Arc::clone(house), pieces, transfer: None };
    let states = stream::unfold(Some(taking), |taking| async move {
        let mut taking = taking?;
        match taking.next().await {
            Ok(None) => None,
            Ok(Some(state)) => Some((Ok(state.into()), Some(taking))),
            Err(status) => Some((Err(status), None)),
        }
    });
    Ok(states.boxed())
}

/// A call under way that brings pieces.
struct Taking {
    house: Arc<House>,
    pieces: Streaming<proto::PushPieceRequest>,
    transfer: Option<Digest>,
}

// === impl Taking ===

impl Taking {
    /// What became of the next piece; `None` behind the last.
    async fn next(&mut self) -> Result<Option<PushState>, Status> {
        let Some(request) = self.pieces.message().await? else { return Ok(None) };
        let refuse = |refusal: Refusal| self.house.metrics.refuse(refusal);
        let piece = PushPiece::try_from(request).map_err(|invalid| refuse(invalid.into()))?;
        self.transfer = piece.transfer.or(self.transfer);
        let transfer = self.transfer.ok_or_else(|| refuse(Refusal::Unannounced))?;
        self.house.check_running().map_err(refuse)?;
        let house = Arc::clone(&self.house);
        let taken = spawn_blocking(move || house.models.take(transfer, &piece)).await;
        let taken = taken.map_err(|_| Status::internal("a piece was lost: please report it"))?;
        let state = taken.map_err(|error| refuse(Refusal::ModelNotTaken { message: in_one_line(&error) }))?;
        state.map(Some).ok_or_else(|| refuse(Refusal::Unannounced))
    }
}

pub(super) async fn activate(desk: &Desk, request: proto::ActivateModelRequest) -> Result<proto::Activation, Status> {
    let wanted = Activate::try_from(request).map_err(|invalid| desk.refuse(invalid))?;
    let activation = with_models(desk, move |models| models.activate(&wanted)).await?;
    Ok(activation.into())
}

pub(super) async fn roll_back(desk: &Desk, request: proto::RollBackModelRequest) -> Result<proto::Activation, Status> {
    let wanted = Activate::try_from(request).map_err(|invalid| desk.refuse(invalid))?;
    let activation = with_models(desk, move |models| models.roll_back(&wanted)).await?;
    Ok(activation.into())
}

/// Opens the front of a network. A server without CPU workers has no models.
pub(super) async fn open_front(desk: &Desk, request: proto::OpenFrontRequest) -> Result<proto::Front, Status> {
    let AskedFront { model, digest, cut } = request.try_into().map_err(|invalid: Invalid| desk.refuse(invalid))?;
    let house = desk.life.house().map_err(|refusal| desk.refuse(refusal))?;
    house.check_running().map_err(|refusal| desk.refuse(refusal))?;
    let model = house.model(&model, Some(digest)).map_err(|refusal| desk.refuse(refusal))?;
    let expected = cut.digest(model.digest(), model.output());
    let front = house.front(model.name(), &cut, Some(expected)).await.map_err(|refusal| desk.refuse(refusal))?;
    let (elements, max_batch) = (number(front.feature_len()), number(front.max_batch().get()));
    Ok(Front { digest: front.digest(), elements, max_batch, devices: front.pool() }.into())
}

pub(super) async fn offer(desk: &Desk, request: proto::OfferModelRequest) -> Result<proto::BeginPushRequest, Status> {
    let asked = AskedOffer::try_from(request).map_err(|invalid| desk.refuse(invalid))?;
    let offer = with_models(desk, move |models| models.offer(&asked)).await?;
    Ok(offer.into())
}

pub(super) async fn give(desk: &Desk, request: proto::PullPieceRequest) -> Result<proto::ModelPiece, Status> {
    let wanted = PullPiece::try_from(request).map_err(|invalid| desk.refuse(invalid))?;
    let piece = with_models(desk, move |models| models.piece(&wanted)).await?;
    let piece = piece.ok_or_else(|| desk.refuse(Refusal::Unannounced))?;
    Ok(proto::ModelPiece { piece: piece.into() })
}

/// Has something done with the models, in the background: disks and sessions block.
async fn with_models<T: Send + 'static>(
    desk: &Desk,
    work: impl FnOnce(&Models) -> anyhow::Result<T> + Send + 'static,
) -> Result<T, Status> {
    let house = desk.life.house().map_err(|refusal| desk.refuse(refusal))?;
    house.check_running().map_err(|refusal| desk.refuse(refusal))?;
    let house: Arc<House> = Arc::clone(house);
    let done = spawn_blocking(move || work(&house.models)).await;
    let done = done.map_err(|_| Status::internal("the work on models ended badly: please report it"))?;
    done.map_err(|error| desk.refuse(Refusal::ModelNotTaken { message: in_one_line(&error) }))
}

fn with_versions(model: ServedModel, models: &Models) -> ServedModel {
    let (revision, versions) = models.versions(&model.name);
    ServedModel { revision, versions, ..model }
}

fn extractor(model: &Extractor) -> ServedModel {
    ServedModel {
        name: model.name().clone(),
        digest: model.digest(),
        recipe: model.recipe().name().to_string(),
        recipe_digest: model.recipe().digest(),
        feature_len: number(model.feature_len()),
        role: ModelRole::Extractor {
            output: model.output().to_owned(),
            device: model.runs_on(),
            devices: model.pool(),
            max_batch: number(model.max_batch().get()),
            samples: model.counts().samples,
        },
        revision: 0,
        versions: Vec::new(),
    }
}

fn head(head: &Classifier) -> ServedModel {
    let extractor = head.extractor();
    ServedModel {
        name: head.name().clone(),
        digest: head.file(),
        recipe: extractor.recipe().name().to_string(),
        recipe_digest: extractor.recipe().digest(),
        feature_len: number(extractor.feature_len()),
        role: ModelRole::Head { extractor: extractor.name().clone(), classes: number(head.count()) },
        revision: 0,
        versions: Vec::new(),
    }
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
