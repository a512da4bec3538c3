//! From settings to something that can be served. What can be judged by the settings alone is, before a port is open ([`check`]).

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use headwater_cli::input::read_at_most;
use headwater_features::{Extractor, ExtractorOptions, ModelSpec, Runtime};
use headwater_pipeline::{Memory, ModelSet, PhotoIndex, Pipeline, Resources};
use headwater_types::{Digest, ImageLimits, Recipe, caps};
use tokio::sync::Semaphore;

use crate::args::{DatasetArgs, IndexDirArgs, ServeArgs, StateArgs};
use crate::importance::Importance;
use crate::keeper;
use crate::life::Life;
use crate::metrics::{Metrics, Opened};
use crate::shared::Shared;
use crate::streams::Streams;

/// Settings that were found to be sound.
pub(crate) struct Checked {
    memory: Memory,
    /// In step with the models.
    recipes: Vec<Recipe>,
}

/// What is wrong with the settings, before anything is opened.
pub(crate) fn check(args: &ServeArgs) -> Result<Checked> {
    let recipes = args.model.iter().map(recipe).collect::<Result<_>>()?;
    Ok(Checked { memory: args.limits.memory()?, recipes })
}

/// Opens dataset and models, and says at each step what it does.
pub(crate) async fn open(
    args: &ServeArgs,
    checked: Checked,
    life: &Arc<Life>,
    metrics: &Arc<Metrics>,
) -> Result<Arc<Shared>> {
    let Checked { memory, recipes } = checked;
    let limits = args.limits.of_image();
    let (data, options) = (&args.dataset.data, args.dataset.store_options(limits.max_object));
    life.begin(format!("opening {data}"));
    // Before the models: that there is no such folder should not take the time that a model takes.
    let store = headwater_store::open(data, &options).await?;
    let models = {
        let (args, life) = (args.clone(), Arc::clone(life));
        // Loading and measuring a model takes seconds of CPU.
        tokio::task::spawn_blocking(move || register(&args, recipes, &life)).await.context("registering models")??
    };
    life.begin("opening the photo index");
    let index = match args.no_index {
        true => {
            args.index.say_unused();
            None
        }
        false => Some(photo_index((&args.state, &args.index), &args.dataset, store.place(), limits).await?),
    };
    life.begin_listing(format!("listing {data}"), options.found.clone());
    let catalog = Arc::new(store.list().await?);
    if let Some(index) = &index {
        keeper::keep(index, &catalog, life.stopping());
    }
    life.begin("starting CPU workers");
    let resources = Resources::new(memory, args.cpu_workers()).context("starting CPU workers")?;
    let pipeline = Pipeline { store, catalog, index, limits };
    let importance = Arc::new(Importance::new(pipeline.catalog.len()));
    metrics.tell_of(Opened {
        dataset: args.name.clone(),
        catalog: Arc::clone(&pipeline.catalog),
        index: pipeline.index.clone(),
        importance: Arc::clone(&importance),
        models: models.iter().map(Arc::clone).collect(),
    });
    Ok(Arc::new(Shared {
        dataset: args.name.clone(),
        part: args.dataset.partition,
        instance: instance(),
        pipeline,
        resources,
        models,
        importance,
        metrics: Arc::clone(metrics),
        stream_window: args.stream_window,
        max_streams: args.max_streams,
        stream_permits: Arc::new(Semaphore::new(args.max_streams.get())),
        streams: Streams::default(),
        stopping: life.stopping(),
    }))
}

/// Bytes that no other server has: from the keys that the standard library draws from the system for its hash tables.
fn instance() -> [u8; 16] {
    let [low, high] = [(); 2].map(|()| RandomState::new().hash_one("instance"));
    (u128::from(high) << 64 | u128::from(low)).to_le_bytes()
}

/// Opens the photo index. Does not wait for it to be counted.
pub(crate) async fn photo_index(
    (state, folder): (&StateArgs, &IndexDirArgs),
    dataset: &DatasetArgs,
    place: Digest,
    limits: ImageLimits,
) -> Result<Arc<PhotoIndex>> {
    let (state, folder, data) = (state.clone(), folder.clone(), dataset.data.clone());
    let open = move || folder.open(&state, &data, place, limits);
    let index = Arc::new(tokio::task::spawn_blocking(open).await.context("opening the photo index")??);
    tracing::info!(folder = %index.path().display(), bytes = index.usage().get(), limit_bytes = index.limit().get(), "photo index");
    Ok(index)
}

fn register(args: &ServeArgs, recipes: Vec<Recipe>, life: &Life) -> Result<ModelSet> {
    let mut models = ModelSet::default();
    if args.model.is_empty() {
        return Ok(models);
    }
    life.begin("loading ONNX Runtime");
    let runtime = Runtime::load(args.onnxruntime.as_deref())?;
    let options = ExtractorOptions {
        device: args.device,
        threads: args.inference_workers.unwrap_or_else(headwater_image::cores),
        max_batch: args.max_batch,
        max_wait: args.max_wait,
        // What CPU workers make ahead for an accelerator.
        queue: 2 * args.cpu_workers(),
        max_model: caps::MAX_MODEL_BYTES,
    };
    for (spec, recipe) in args.model.iter().zip(recipes) {
        life.begin(format!("loading model {}", spec.name));
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

/// The recipe of a model, from the box or from a file.
pub(crate) fn recipe(spec: &ModelSpec) -> Result<Recipe> {
    let name = &spec.recipe;
    let read = || -> Result<Recipe> {
        if let Some(recipe) = Recipe::builtin(name) {
            return Ok(recipe);
        }
        let known = || Recipe::builtin_names().collect::<Vec<_>>().join(", ");
        let text = read_at_most(Path::new(name), caps::MAX_RECIPE_BYTES as u64)
            .with_context(|| format!("recipe {name:?} is neither a file that can be read nor one of {}", known()))?;
        let text = std::str::from_utf8(&text).with_context(|| format!("recipe {name} is no text"))?;
        Recipe::from_toml(text).with_context(|| format!("recipe {name}"))
    };
    read().with_context(|| format!("--model {}", spec.name))
}
