//! From settings to a partition that can be served. What the settings alone show is checked before a port is open
//! ([`check`]).

use std::sync::Arc;

use anyhow::{Context, Result};
use headwater_pipeline::{Memory, PhotoIndex, Pipeline, Resources};
use headwater_types::{Digest, ImageLimits, Recipe};
use tokio::sync::Semaphore;

use crate::args::{DatasetArgs, IndexDirArgs, ServeArgs, StateArgs};
use crate::importance::Importance;
use crate::life::Life;
use crate::metrics::{Metrics, Opened};
use crate::shared::Shared;
use crate::streams::Streams;
use crate::{keeper, models};

/// Settings that were found to be sound.
pub(crate) struct Checked {
    memory: Memory,
    /// In step with the models.
    recipes: Vec<Recipe>,
}

/// Finds what is wrong with the settings, before anything is opened.
pub(crate) fn check(args: &ServeArgs) -> Result<Checked> {
    let recipes = args.model.iter().map(models::recipe).collect::<Result<_>>()?;
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
    let (data, options) = (&args.dataset.data.location, args.dataset.store_options(limits.max_object));
    life.begin(format!("opening {data}"));
    // The store comes before the models: a folder that does not exist is found at once, and not after a model was
    // loaded.
    let store = headwater_store::open(data, &options).await?;
    let models = {
        let (args, life) = (args.clone(), Arc::clone(life));
        // Loading and measuring a model takes seconds of CPU.
        let register = move || models::register(&args, recipes, |doing| life.begin(doing));
        tokio::task::spawn_blocking(register).await.context("registering models")??
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
        part: args.dataset.part(),
        source: pipeline.store.source(),
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

/// Opens the photo index. Does not wait for it to be counted.
pub(crate) async fn photo_index(
    (state, folder): (&StateArgs, &IndexDirArgs),
    dataset: &DatasetArgs,
    place: Digest,
    limits: ImageLimits,
) -> Result<Arc<PhotoIndex>> {
    let (state, folder, data) = (state.clone(), folder.clone(), dataset.data.location.clone());
    let open = move || folder.open(&state, &data, place, limits);
    let index = Arc::new(tokio::task::spawn_blocking(open).await.context("opening the photo index")??);
    tracing::info!(
        folder = %index.path().display(),
        bytes = index.usage().get(),
        limit_bytes = index.limit().get(),
        "photo index"
    );
    Ok(index)
}
