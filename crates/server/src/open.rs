//! From settings to what all datasets share, and to a first generation of each dataset. What the settings alone show is
//! checked before a port is open ([`check`]).

use std::sync::Arc;

use anyhow::{Context, Result};
use headwater_features::Device;
use headwater_pipeline::{DatasetCache, Memory, PhotoIndex, Pipeline, Resources, SharedCache};
use headwater_store::{
    Catalog, DatasetSource, DatasetSpec, Deposit, Location, PageMemory, Past, Start, Store, StoreError, StoreOptions,
    Underway,
};
use headwater_types::{ByteCount, Differences, ImageLimits, Recipe};
use tokio::sync::{OnceCell, Semaphore};

use crate::args::{ServeArgs, SourceArgs, StateArgs};
use crate::doing::Doing;
use crate::generation::Generation;
use crate::homes::Share;
use crate::house::House;
use crate::labels::Shelf;
use crate::life::Life;
use crate::metrics::Metrics;
use crate::models::{self, Models, Opening, Settings};
use crate::served::Served;
use crate::streams::Streams;

/// Settings that were found to be sound.
pub(crate) struct Checked {
    pub(crate) memory: Memory,
    /// In step with the models.
    recipes: Vec<Recipe>,
}

/// How a dataset is opened.
pub(crate) struct Opener {
    dataset: DatasetSource,
    source: SourceArgs,
    /// The pinned classes, once they are known.
    classes: OnceCell<Option<Arc<[String]>>>,
    /// Every dataset's place, this one first, and the folders into which links are followed: what the server keeps
    /// lies apart from all of them.
    places: Vec<Location>,
    limits: ImageLimits,
    page_memory: PageMemory,
    state: StateArgs,
}

/// A dataset that is open and not listed.
pub(crate) struct Unlisted {
    store: Arc<dyn Store>,
    options: StoreOptions,
}

/// A dataset that can be served.
pub(crate) struct First {
    pub(crate) generation: Generation,
    /// What led to it.
    pub(crate) past: Past,
    /// The listing that goes on, where what an earlier start listed is served until it is done.
    pub(crate) underway: Option<Underway>,
}

/// Finds what is wrong with the settings, before anything is opened.
pub(crate) fn check(args: &ServeArgs) -> Result<Checked> {
    let recipes = args.model.iter().map(models::recipe).collect::<Result<_>>()?;
    Ok(Checked { memory: args.limits.memory()?, recipes })
}

/// Opens what all datasets share, and says at each step what it does.
pub(crate) async fn house(
    args: &ServeArgs,
    checked: Checked,
    share: Option<Arc<Share>>,
    (life, metrics): (&Arc<Life>, &Arc<Metrics>),
) -> Result<Arc<House>> {
    let Checked { memory, recipes } = checked;
    let models = {
        let (args, life) = (args.clone(), Arc::clone(life));
        // Loading and measuring a model takes seconds of CPU.
        let open = move || open_models(&args, recipes, |doing| life.begin(doing));
        Arc::new(tokio::task::spawn_blocking(open).await.context("opening the models")??)
    };
    life.begin("starting CPU workers");
    let resources = Resources::new(memory, args.cpu_workers()).context("starting CPU workers")?;
    life.begin("opening the cache");
    let cache = {
        let (cache, state) = (args.cache.clone(), args.state.clone());
        let places: Vec<_> = args.datasets.specs().into_iter().map(|spec| spec.source.location).collect();
        let open = move || cache.open(&state, &places);
        tokio::task::spawn_blocking(open).await.context("opening the cache")??
    };
    life.begin("opening the labels");
    let shelf = {
        let args = args.clone();
        tokio::task::spawn_blocking(move || shelf(&args)).await.context("opening the labels")??
    };
    metrics.tell_of(&models);
    cache.iter().for_each(|cache| metrics.tell_of_cache(cache));
    share.iter().for_each(|share| metrics.tell_of_share(share));
    Ok(Arc::new(House {
        resources,
        models,
        shelf,
        cache,
        share,
        metrics: Arc::clone(metrics),
        stream_window: args.stream_window,
        max_streams: args.max_streams,
        idle_timeout: args.idle_timeout,
        stream_permits: Arc::new(Semaphore::new(args.max_streams.get())),
        streams: Streams::default(),
        stopping: life.stopping(),
    }))
}

/// The models of the settings, and versions that were pushed. Blocks.
fn open_models(args: &ServeArgs, recipes: Vec<Recipe>, begin: impl Fn(String)) -> Result<Models> {
    let places: Vec<_> = args.datasets.specs().into_iter().map(|spec| spec.source.location).collect();
    let folder = args.state.models(&places)?;
    let store = folder.map(|folder| models::open_store(folder.path(), args.model_versions.get()).context("--state"));
    let settings = Settings::new(&args.model, recipes, &args.head);
    let engines = match args.device.first() {
        Device::TensorRt(_) => args.state.engines(&places)?,
        Device::Cpu | Device::Cuda(_) => None,
    };
    models::start(settings, Opening::new(args, engines), store.transpose()?, begin)
}

/// Where labels are kept; `None` without a state folder. Blocks.
fn shelf(args: &ServeArgs) -> Result<Option<Shelf>> {
    let places: Vec<_> = args.datasets.specs().into_iter().map(|spec| spec.source.location).collect();
    let folder = args.state.labels(&places)?;
    folder.map(|folder| Shelf::open(folder.path()).context("--state")).transpose()
}

// === impl Opener ===

impl Opener {
    pub(crate) fn new(args: &ServeArgs, spec: &DatasetSpec, page_memory: &PageMemory) -> Self {
        let others = args.datasets.specs().into_iter().filter(|other| other.name != spec.name);
        let own = spec.source.location.clone();
        let followed = args.datasets.source.follow_links().iter().map(|folder| Location::folder(folder.clone()));
        Self {
            dataset: spec.source.clone(),
            source: args.datasets.source.clone(),
            classes: OnceCell::new(),
            places: [own].into_iter().chain(others.map(|other| other.source.location)).chain(followed).collect(),
            limits: args.limits.of_image(),
            page_memory: page_memory.clone(),
            state: args.state.clone(),
        }
    }

    /// Opens the store, which is quick: a folder that does not exist is found before a model is loaded.
    pub(crate) async fn store(&self, served: &Served) -> Result<Unlisted> {
        let data = &self.dataset.location;
        let options = self.options(served).await?;
        served.begin(match data.is_sure() {
            true => Doing::step(format!("opening {data}")),
            // It is looked at to see what it holds, which may take its time, and then says why.
            false => Doing::listing(format!("listing {data}"), options.found.clone()),
        });
        let store = headwater_store::open(data, &options).await.context(served.setting.clone())?;
        Ok(Unlisted { store, options })
    }

    /// Lists the dataset for the first time.
    pub(crate) async fn list(
        &self,
        served: &Served,
        unlisted: Unlisted,
        cache: Option<&Arc<SharedCache>>,
    ) -> Result<First> {
        let Unlisted { store, options } = unlisted;
        let is_local = self.dataset.location.is_local();
        let cache = cache.map(|cache| DatasetCache::new(cache, store.place(), is_local, self.limits));
        let index = cache.as_ref().and_then(PhotoIndex::new).map(Arc::new);
        served.begin(Doing::listing(format!("listing {}", self.dataset.location), options.found.clone()));
        let started = headwater_store::start(&self.dataset.location, &store, &options).await;
        let (start, past) = started.context(served.setting.clone())?;
        let (catalog, underway) = match start {
            Start::Listed(catalog) => (catalog, None),
            Start::Kept(catalog, underway) => {
                let doing = Doing::listing(format!("listing {}", self.dataset.location), options.found);
                served.listings(|listings| listings.doing = Some(doing));
                (catalog, Some(underway))
            }
        };
        let catalog = Arc::new(catalog);
        let pipeline = Pipeline { store, catalog, cache, index, outlook: None, limits: self.limits };
        Ok(First { generation: Generation::new(1, pipeline), past, underway })
    }

    /// Opens the dataset to put photos into it.
    pub(crate) async fn deposit(&self, served: &Served) -> Result<Deposit> {
        let options = self.options(served).await?;
        Deposit::open(&self.dataset.location, &options).await.context(served.setting.clone())
    }

    /// The largest photo that is read.
    pub(crate) fn max_object(&self) -> ByteCount {
        self.limits.max_object
    }

    /// What the labels are of, where they are not the names of folders.
    pub(crate) fn no_class_folders(&self) -> Option<String> {
        self.dataset.options.labels.as_ref().map(ToString::to_string)
    }

    /// Whether the classes are those that the settings name, and no others.
    pub(crate) fn has_pinned_classes(&self) -> bool {
        self.dataset.options.classes.is_some()
    }

    async fn options(&self, served: &Served) -> Result<StoreOptions> {
        let options = self.source.store_options(&self.dataset, self.limits.max_object, &self.page_memory);
        let kept = self.state.kept(&self.places)?;
        // Read once: a class that changed its number would spoil a training.
        let prepared = async { Ok::<_, StoreError>(headwater_store::prepared(&options).await?.classes) };
        let classes = self.classes.get_or_try_init(|| prepared).await?.clone();
        Ok(StoreOptions { kept, classes, fetched: served.fetched.clone(), ..options })
    }

    /// Opens a dataset and lists it.
    pub(crate) async fn open(&self, served: &Served, cache: Option<&Arc<SharedCache>>) -> Result<First> {
        let unlisted = self.store(served).await?;
        self.list(served, unlisted, cache).await
    }

    /// Lists a dataset anew that is served, and says what differs; `None` where nothing does.
    pub(crate) async fn relist(&self, served: &Served) -> Result<Option<(Generation, Differences)>> {
        let now = served.current().context("the dataset is not served")?;
        // Opened anew, since the folder may be another one at the same path, and to count from 0.
        let options = self.options(served).await?;
        let doing = Doing::listing(format!("listing {} anew", self.dataset.location), options.found.clone());
        served.listings(|listings| listings.doing = Some(doing));
        let (location, setting) = (&self.dataset.location, || served.setting.clone());
        let store = headwater_store::open(location, &options).await.with_context(setting)?;
        let catalog = store.list(Some(now.catalog())).await.with_context(setting)?;
        next_generation(served, &now, store, catalog).await
    }
}

/// The generation that this listing gives after the current one, and what differs; `None` where nothing does.
pub(crate) async fn next_generation(
    served: &Served,
    now: &Arc<Generation>,
    store: Arc<dyn Store>,
    catalog: Catalog,
) -> Result<Option<(Generation, Differences)>> {
    let since = catalog.scope().since;
    if catalog.digest() == now.digest() {
        served.listings(|listings| listings.listed = Some(since));
        return Ok(None);
    }
    let (before, next) = (Arc::clone(now), Arc::new(catalog));
    let later = Arc::clone(&next);
    let compare = move || before.catalog().differences(&later);
    let differences = tokio::task::spawn_blocking(compare).await.context("comparing two listings")?;
    served.listings(|listings| listings.listed = Some(since));
    let Pipeline { cache, index, outlook, limits, .. } = now.pipeline.clone();
    let pipeline = Pipeline { store, catalog: next, cache, index, outlook, limits };
    Ok(Some((Generation::new(now.number + 1, pipeline), differences)))
}
