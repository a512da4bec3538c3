//! `ListModels`: which models and heads a server has.

use headwater_features::{Classifier, Extractor};
use headwater_wire::models::{ModelRole, ServedModel};
use headwater_wire::proto;
use tonic::Status;

use super::desk::Desk;

pub(super) fn list(desk: &Desk) -> Result<proto::ModelList, Status> {
    let house = desk.life.house().map_err(|refusal| desk.refuse(refusal))?;
    let heads = house.classifiers.heads();
    let models = house.models.iter().map(|model| extractor(model)).chain(heads.iter().map(|head| self::head(head)));
    let mut models: Vec<_> = models.collect();
    models.sort_by(|one, other| one.name.as_str().cmp(other.name.as_str()));
    Ok(proto::ModelList { models: models.into_iter().map(Into::into).collect() })
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
    }
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
