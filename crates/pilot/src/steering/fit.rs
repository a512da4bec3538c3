//! Whether a plan fits what it is to be followed for.

use headwater_client::{Dataset, ModelInfo};
use headwater_plan::Plan;
use headwater_types::Way;

use crate::error::PilotError;
use crate::stamp::Stamp;
use crate::target::Target;

/// Checks that a plan was made for this dataset and target. It may not be followed elsewhere.
pub(super) fn check(plan: &Plan, dataset: &Dataset, target: Target<'_>) -> Result<(), PilotError> {
    let stamp = Stamp::from(plan);
    if !stamp.is_of_length(dataset) {
        return Err(PilotError::PlannedSamples { planned: plan.len(), served: dataset.len() });
    }
    if !stamp.is_of_dataset(dataset) {
        return Err(PilotError::PlannedDataset(dataset.name().clone()));
    }
    check_model(plan, target)?;
    if let Some(model) = target.model() {
        check_servers(plan, dataset, model)?;
    }
    let recipe = target.recipe();
    if !stamp.is_of_recipe(recipe) {
        let planned = plan.inputs.recipe.clone().unwrap_or_else(|| "another".to_owned());
        return Err(PilotError::PlannedRecipe { planned, used: recipe.name().to_string() });
    }
    Ok(())
}

/// Checks that a plan for features is of the target's model, and that a plan for tensors is used for tensors.
fn check_model(plan: &Plan, target: Target<'_>) -> Result<(), PilotError> {
    match (target.model(), plan.inputs.model_digest) {
        (None, Some(_)) => Err(PilotError::PlannedFeatures(model_of(plan))),
        (Some(used), None) => Err(PilotError::PlannedTensors(used.name.to_string())),
        (Some(used), Some(planned)) if planned != used.digest => Err(PilotError::PlannedModel {
            model: model_of(plan),
            planned: planned.short().to_string(),
            used: used.name.to_string(),
            digest: used.digest.short().to_string(),
        }),
        _ => Ok(()),
    }
}

/// Checks that every server that a plan asks for features has the model.
fn check_servers(plan: &Plan, dataset: &Dataset, model: &ModelInfo) -> Result<(), PilotError> {
    let registered = dataset.registered_model(&model.name)?.servers;
    let lacking = dataset.partitions().iter().zip(registered).filter(|(_, has)| !has);
    for (partition, _) in lacking {
        let asked =
            |index: u64| usize::try_from(index).ok().and_then(|index| plan.way(index)).is_some_and(Way::is_features);
        if (partition.first..partition.end()).any(asked) {
            let (server, model) = (partition.address.clone(), model.name.clone());
            return Err(PilotError::PlannedWithoutModel { server, model });
        }
    }
    Ok(())
}

/// The name of the plan's model, for people.
fn model_of(plan: &Plan) -> String {
    plan.inputs.model.as_ref().map_or_else(|| "of another name".to_owned(), ToString::to_string)
}
