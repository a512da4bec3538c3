//! A dataset and a model on storage servers, before it is known which samples are wanted.

use headwater_client::{ClientOptions, Dataset, Indices, Partition, RegisteredModel};
use headwater_infer::LocalExtractor;
use headwater_pilot::{Making, OnProgress, SketchOptions, Steering, auto};
use headwater_tables::features::FeatureProvenance;
use headwater_types::{DatasetName, ModelName, Way};

use crate::course::{Course, Inference};
use crate::error::SourceError;
use crate::servers::{ADDRESS, Desk, Servers};

/// A dataset on storage servers, the model that makes features of it, and where it runs.
#[derive(Clone, Debug)]
pub struct ServedModel {
    /// The storage servers; the dataset is their partitions in this order.
    pub servers: headwater_client::Servers,
    /// The dataset's name.
    pub dataset: DatasetName,
    /// The model's name, as it is registered on the servers.
    pub model: ModelName,
    /// How the servers are connected to.
    pub client: ClientOptions,
    /// Where samples are inferred.
    pub inference: Inference,
}

/// A dataset on storage servers, and a model that is registered there; how samples come is perhaps still to be planned.
#[derive(Debug)]
pub struct Connected {
    dataset: Dataset,
    model: RegisteredModel,
    provenance: FeatureProvenance,
    course: Course,
    extractor: Option<LocalExtractor>,
    sketch: SketchOptions,
}

// === impl Connected ===

impl Connected {
    /// Asks every server what it has, and sees that the plan, where there is one, is for this dataset and model.
    ///
    /// # Errors
    /// [`SourceError`]: a server does not answer or lacks the model, or the plan cannot be followed.
    pub async fn new(of: ServedModel) -> Result<Self, SourceError> {
        let ServedModel { servers, dataset, model, client, inference } = of;
        let dataset = Dataset::connect(&servers, &dataset, client).await?;
        if inference.plan.is_none() {
            // Without a plan every server infers.
            dataset.model(&model)?;
        }
        let model = dataset.registered_model(&model)?;
        let (course, extractor) = Course::open(&inference, &dataset, &model).await?;
        let provenance = FeatureProvenance {
            dataset: dataset.name().clone(),
            dataset_digest: dataset.digest(),
            samples: dataset.len(),
            classes: dataset.classes().to_vec(),
            model: model.info.name.clone(),
            model_digest: model.info.digest,
            recipe_digest: model.info.recipe.digest(),
            output: model.info.output.clone(),
            feature_len: model.info.feature_len as usize,
        };
        let sketch = SketchOptions { budget: inference.profile_time, ..SketchOptions::default() };
        Ok(Self { dataset, model, provenance, course, extractor, sketch })
    }

    /// What the features will be features of.
    pub fn provenance(&self) -> &FeatureProvenance {
        &self.provenance
    }

    /// The servers, and what each has of the dataset.
    pub fn partitions(&self) -> &[Partition] {
        self.dataset.partitions()
    }

    /// Plans how these samples come, where that is still to be done. `on_progress` hears how far that has come.
    ///
    /// # Errors
    /// [`SourceError`]: a server does not answer, or nothing can be measured or planned.
    pub async fn steer(self, samples: &Indices, on_progress: OnProgress<'_>) -> Result<Servers, SourceError> {
        let Self { dataset, model, provenance, course, extractor, sketch } = self;
        let (steering, appraisal) = match (course, &extractor) {
            (Course::Split(prepared), _) => {
                let split = prepared.begin(&dataset, &model.info.name, samples).await?;
                return Ok(Servers::split(dataset, provenance, split));
            }
            (Course::Set(steering), _) => (steering, None),
            (Course::Auto, Some(here)) if !samples.is_empty() => {
                let making = Making::Features { model: &model, here };
                let (steering, appraisal) =
                    auto(&dataset, making, &sketch, ADDRESS, &samples.to_vec(), on_progress).await?;
                (steering, Some(appraisal))
            }
            // No sample is left to come.
            (Course::Auto, _) => (Steering::new(Way::FEATURES), None),
        };
        Ok(Servers::new(dataset, provenance, Desk::new(steering, appraisal, extractor)))
    }
}
