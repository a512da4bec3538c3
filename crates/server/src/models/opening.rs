//! How models are opened and run.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use headwater_cli::recipe;
use headwater_features::{Classifier, ClassifierError, Extractor, ExtractorOptions, HeadSpec, ModelSpec, Runtime};
use headwater_pipeline::ModelSet;
use headwater_types::{DevicePool, Recipe, caps};

use crate::args::ServeArgs;

/// Opens models and heads, at the start and later.
pub(crate) struct Opening {
    onnxruntime: Option<PathBuf>,
    pub(super) options: ExtractorOptions,
    /// Whether the server has threads that prepare photos for a model.
    has_workers: bool,
}

// === impl Opening ===

impl Opening {
    /// `engines`: the folder that keeps what TensorRT builds.
    pub(crate) fn new(args: &ServeArgs, engines: Option<PathBuf>) -> Self {
        let options = ExtractorOptions {
            devices: args.device.clone(),
            precision: args.precision,
            engines,
            threads: args.inference_workers.unwrap_or_else(headwater_image::cores),
            max_batch: args.max_batch,
            max_wait: args.max_wait,
            // CPU workers make so much ahead for an accelerator.
            queue: (2 * args.cpu_workers()).max(1),
            max_model: caps::MAX_MODEL_BYTES,
        };
        Self { onnxruntime: args.onnxruntime.clone(), options, has_workers: args.cpu_workers() > 0 }
    }

    /// The runtime, which is loaded once.
    pub(super) fn runtime(&self) -> Result<Arc<Runtime>> {
        Ok(Runtime::load(self.onnxruntime.as_deref())?)
    }

    /// Sees to it that models can run here at all.
    pub(super) fn check_workers(&self) -> Result<()> {
        match self.has_workers {
            true => Ok(()),
            false => {
                bail!("this server has no CPU workers, which a model needs: start it with --cpu-workers 1 or more")
            }
        }
    }

    /// Loads a model with its recipe, and measures it. Blocks for seconds.
    pub(super) fn model(&self, spec: &ModelSpec, recipe: Recipe) -> Result<Extractor> {
        self.check_workers()?;
        let extractor = Extractor::open(&self.runtime()?, spec, recipe, &self.options)?;
        tracing::info!(
            model = %extractor.name(),
            digest = %extractor.digest().short(),
            recipe = %extractor.recipe().name(),
            output = extractor.output(),
            features = extractor.feature_len(),
            device = extractor.runs_on(),
            batch = extractor.max_batch().get(),
            samples_per_second_and_device = extractor.pool().map(DevicePool::rate),
            "model registered"
        );
        Ok(extractor)
    }

    /// Opens a head over the one of these models on whose features it was trained. Blocks.
    pub(super) fn head(&self, spec: &HeadSpec, models: &ModelSet) -> Result<Arc<Classifier>> {
        let head = Classifier::of_head(&self.runtime()?, spec, models.iter().cloned(), caps::MAX_MODEL_BYTES)?;
        tracing::info!(
            head = %head.name(), digest = %head.digest().short(), extractor = %head.extractor().name(),
            classes = head.count(), "head registered"
        );
        Ok(Arc::new(head))
    }
}

/// Whether a head is sound, and its extractor is another than those that serve.
pub(super) fn is_of_another(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ClassifierError::OtherExtractor { .. }))
}

/// The recipe of a model: a built-in one, or one from a file.
pub(crate) fn recipe(spec: &ModelSpec) -> Result<Recipe> {
    recipe::find(&spec.recipe).with_context(|| format!("--model {}", spec.name))
}
