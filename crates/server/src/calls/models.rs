//! `ListModels` and what is done with versions: which models a server has, and which of them serves.

use std::sync::Arc;

use headwater_features::{Classifier, Extractor};
use headwater_wire::models::{Activate, AskedOffer, ModelRole, PullPiece, PushOffer, PushPiece, ServedModel};
use headwater_wire::proto;
use headwater_wire::status::{Invalid, Refusal};
use tokio::task::spawn_blocking;
use tonic::Status;

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

pub(super) async fn take(desk: &Desk, request: proto::PushPieceRequest) -> Result<proto::PushState, Status> {
    let piece = PushPiece::try_from(request).map_err(|invalid| desk.refuse(invalid))?;
    let state = with_models(desk, move |models| models.take(&piece)).await?;
    state.map(Into::into).ok_or_else(|| desk.refuse(Refusal::Unannounced))
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
    done.map_err(|error| desk.refuse(Refusal::ModelNotTaken { message: format!("{error:#}") }))
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
            device: model.device().to_string(),
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
