//! The models of a server, as its settings name them.

use anyhow::{Context, Result, bail};
use headwater_cli::recipe;
use headwater_features::{Extractor, ExtractorOptions, ModelSpec, Runtime};
use headwater_pipeline::ModelSet;
use headwater_types::{Recipe, caps};

use crate::args::ServeArgs;

/// Loads the models, each with its recipe, and measures them. `begin` hears what is being done.
///
/// # Errors
/// A runtime or a model that cannot be loaded, a device that is not there, a name that is given twice.
pub(crate) fn register(args: &ServeArgs, recipes: Vec<Recipe>, begin: impl Fn(String)) -> Result<ModelSet> {
    let mut models = ModelSet::default();
    if args.model.is_empty() {
        return Ok(models);
    }
    begin("loading ONNX Runtime".to_owned());
    let runtime = Runtime::load(args.onnxruntime.as_deref())?;
    let options = options(args);
    for (spec, recipe) in args.model.iter().zip(recipes) {
        begin(format!("loading model {}", spec.name));
        let extractor =
            Extractor::open(&runtime, spec, recipe, &options).with_context(|| format!("--model {}", spec.name))?;
        tracing::info!(
            model = %extractor.name(),
            digest = %extractor.digest().short(),
            recipe = %extractor.recipe().name(),
            output = extractor.output(),
            features = extractor.feature_len(),
            device = %extractor.device(),
            batch = extractor.max_batch().get(),
            "model registered"
        );
        if !models.insert(extractor) {
            bail!("--model {} is given twice", spec.name);
        }
    }
    Ok(models)
}

/// How models are run.
pub(crate) fn options(args: &ServeArgs) -> ExtractorOptions {
    ExtractorOptions {
        device: args.device,
        threads: args.inference_workers.unwrap_or_else(headwater_image::cores),
        max_batch: args.max_batch,
        max_wait: args.max_wait,
        // CPU workers make so much ahead for an accelerator.
        queue: 2 * args.cpu_workers(),
        max_model: caps::MAX_MODEL_BYTES,
    }
}

/// The recipe of a model: a built-in one, or one from a file.
pub(crate) fn recipe(spec: &ModelSpec) -> Result<Recipe> {
    recipe::find(&spec.recipe).with_context(|| format!("--model {}", spec.name))
}
