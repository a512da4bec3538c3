//! Where each sample is inferred: at the servers, or here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use headwater_client::{Dataset, RegisteredModel};
use headwater_infer::{LocalError, LocalExtractor, LocalOptions};
use headwater_pilot::{Infer as _, Steering};
use headwater_plan::Plan;
use headwater_tables::plan::{self, PlanSource};
use headwater_types::Way;

use crate::error::{PlanError, SourceError};
use crate::split::{Prepared, Split};

/// Where samples are inferred: at the servers, or here.
#[derive(Clone, Debug, Default)]
pub struct Inference {
    /// The plan that says of each sample whether it comes as a feature, or as pixels that are inferred here. Without a
    /// plan, servers infer every sample.
    pub plan: Option<PlanSource>,
    /// The time that [`PlanSource::Auto`] may take to measure.
    pub profile_time: Option<Duration>,
    /// The model's file, to infer here what comes as pixels.
    pub extractor: Option<PathBuf>,
    /// Where the network is split; `None` where it is not. There is no plan then.
    pub split: Option<Split>,
    /// Where the model runs here.
    pub here: LocalOptions,
}

/// How samples will come, as far as that is known before it is known which samples.
#[derive(Debug)]
pub(crate) enum Course {
    /// Samples come as a plan says, or all as features.
    Set(Steering),
    /// Samples come by a plan that is still to be made.
    Auto,
    /// The network is split.
    Split(Box<Prepared>),
}

// === impl Course ===

impl Course {
    /// Reads the plan, holds it against what is served, and opens the extractor where samples may come as pixels.
    pub(crate) async fn open(
        inference: &Inference,
        dataset: &Dataset,
        model: &RegisteredModel,
    ) -> Result<(Self, Option<LocalExtractor>), SourceError> {
        if let Some(split) = &inference.split {
            let prepared =
                Prepared::new(split, (inference.extractor.as_deref(), &inference.here), (dataset, &model.info));
            let prepared = prepared.await?;
            return Ok((Self::Split(Box::new(prepared)), None));
        }
        let path = match &inference.plan {
            None => return Ok((Self::Set(Steering::new(Way::FEATURES)), None)),
            Some(PlanSource::Auto) => {
                let nothing = || PlanError::NothingToChoose(model.info.name.clone());
                let file = inference.extractor.as_ref().ok_or_else(nothing)?;
                return Ok((Self::Auto, Some(local(file, inference, dataset, model).await?)));
            }
            Some(PlanSource::File(path)) => path,
        };
        let plan = read_beside(path.clone()).await?;
        let steering = Steering::by(&plan, dataset, &model.info);
        let steering = steering.map_err(|error| PlanError::For { path: path.clone(), error: error.into() })?;
        let pixels = plan.iter().filter(|way| !way.is_features()).count();
        let extractor = match &inference.extractor {
            _ if pixels == 0 => None,
            Some(file) => Some(local(file, inference, dataset, model).await?),
            None => {
                let (path, samples, model) = (path.clone(), plan.len(), model.info.name.clone());
                return Err(PlanError::NoExtractor { path, pixels, samples, model }.into());
            }
        };
        say_other_devices(&plan, model, extractor.as_ref());
        Ok((Self::Set(steering), extractor))
    }
}

/// Warns where a plan counts on devices that are not there, or not on those that are: samples and features are the
/// same, and come sooner or later than it says.
fn say_other_devices(plan: &Plan, model: &RegisteredModel, here: Option<&LocalExtractor>) {
    let planned = &plan.inputs.resources;
    if here.is_some_and(|here| here.devices().is_some() != planned.trainer_devices.is_some()) {
        tracing::warn!(
            planned = planned.trainer_devices.is_some(),
            "the plan was made for another --device here, and takes another time than it says: profile and plan anew"
        );
    }
    let there =
        planned.servers.iter().zip(&model.devices).filter(|(planned, has)| planned.devices.is_some() != has.is_some());
    let servers = there.count();
    if servers > 0 {
        tracing::warn!(
            servers,
            "the plan was made for servers that run the model on other devices, and takes another time than it says: \
             profile and plan anew"
        );
    }
}

async fn local(
    file: &Path,
    inference: &Inference,
    dataset: &Dataset,
    model: &RegisteredModel,
) -> Result<LocalExtractor, LocalError> {
    LocalExtractor::open(file.to_owned(), model.info.clone(), dataset.options(), inference.here.clone()).await
}

/// Reads a plan on a thread that may block: a million samples take a tenth of a second.
async fn read_beside(path: PathBuf) -> Result<Plan, SourceError> {
    let read = tokio::task::spawn_blocking(move || plan::read(&path)).await?;
    Ok(read.map_err(PlanError::from)?)
}
