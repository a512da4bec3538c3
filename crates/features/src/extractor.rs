//! A registered model, ready to turn pixels into features.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use headwater_image::{Flow, Payload, Tensor, Turn};
use headwater_types::{
    Address, DevicePool, Digest, FailureKind, ImageLimits, ModelName, NetworkCut, Priority, Recipe, SampleFailure,
};

use crate::batch_size;
use crate::counts::{Counters, InferenceCounts};
use crate::devices::Devices;
use crate::error::ModelError;
use crate::job::{Extracted, Unfinished, inference_failure};
use crate::model::Model;
use crate::opening::Opening;
use crate::options::ExtractorOptions;
use crate::pace;
use crate::precision::Precision;
use crate::queue::{Entrance, Policy, queue};
use crate::runtime::Runtime;
use crate::spec::ModelSpec;
use crate::worker::Worker;
use crate::workers::Workers;

/// A model with its workers. Dropping it ends them, after the run that each is in.
pub struct Extractor {
    spec: ModelSpec,
    /// Where its network is cut; `None` for a whole model.
    cut: Option<NetworkCut>,
    digest: Digest,
    recipe: Arc<Recipe>,
    output: String,
    feature_len: usize,
    devices: Devices,
    pool: Option<DevicePool>,
    precision: Precision,
    max_batch: NonZeroUsize,
    counters: Arc<Counters>,
    // Before the workers: fields are dropped in this order, and workers end when the entrance is gone.
    entrance: Entrance,
    workers: Workers,
    /// Of samples that are nobody's in particular.
    own: Flow,
}

/// A place in a model's queue. It is taken before the pixels are made, so that nothing is decoded far ahead of its
/// turn.
#[must_use = "dropping a place gives it up"]
pub struct Place<'a> {
    extractor: &'a Extractor,
    turn: Turn,
}

// === impl Extractor ===

impl Extractor {
    /// Reads, checks and loads a model, tries its devices, chooses the batch size and starts the workers. Blocks for as
    /// long as that takes: up to about two seconds of measuring beside the loading itself, and four on devices.
    pub fn open(
        runtime: &Arc<Runtime>,
        spec: &ModelSpec,
        recipe: Recipe,
        options: &ExtractorOptions,
    ) -> Result<Self, ModelError> {
        let model = Model::read(spec, &recipe, options.max_model)?;
        Self::of(runtime, model, (spec, None), (recipe, options))
    }

    /// Opens the front of this model's network, up to these tensors, as a model of its own: what it gives are their
    /// elements, one tensor after the other, for a client that runs the back. Its digest is [`NetworkCut::digest`].
    /// Blocks like [`Extractor::open`].
    ///
    /// # Errors
    /// A cut that this network does not have or that does not travel, a file that has changed, and those of opening.
    pub fn front(
        &self,
        runtime: &Arc<Runtime>,
        cut: &NetworkCut,
        options: &ExtractorOptions,
    ) -> Result<Self, ModelError> {
        let recipe = Recipe::clone(&self.recipe);
        let model = Model::read(&self.spec, &recipe, options.max_model)?;
        if model.digest != self.digest {
            return Err(ModelError::Changed { name: model.name, path: self.spec.path.clone() });
        }
        let front = model.front(cut, options.max_model)?;
        Self::of(runtime, front, (&self.spec, Some(cut)), (recipe, options))
    }

    fn of(
        runtime: &Arc<Runtime>,
        model: Model,
        (spec, cut): (&ModelSpec, Option<&NetworkCut>),
        (recipe, options): (Recipe, &ExtractorOptions),
    ) -> Result<Self, ModelError> {
        let opening = Opening::new(runtime, &model, recipe.output_size(), options)?;
        // A session of its own for trying batch sizes: what it allocates goes with it.
        let (max_batch, feature_len) = batch_size::choose(&model, options, opening.first()?)?;
        let mut sessions = opening.sessions(max_batch.get())?;
        let pool = pace::measure(&options.devices, &mut sessions, max_batch.get());
        let pool = pool.map_err(|reason| ModelError::Runtime { name: model.name.clone(), reason })?;

        let (sharers, max_wait) = match options.devices.is_accelerator() {
            true => (1, options.max_wait),
            false => (sessions.len(), Duration::ZERO),
        };
        let policy = Policy { max_batch: max_batch.get(), sharers, max_wait };
        // A batch in each worker, one that waits for it, and those that are being made.
        let places = 2 * sessions.len() * max_batch.get() + options.queue;
        let (entrance, exit) = queue(places, policy);
        let (recipe, counters) = (Arc::new(recipe), Arc::new(Counters::default()));
        let mut workers = Workers::default();
        for (session, rows) in sessions {
            let worker = Worker::new(session, exit.clone(), recipe.clone(), counters.clone(), rows);
            workers.start(worker, &model.name)?;
        }
        let Model { digest, output, .. } = model;
        let (spec, cut) = (spec.clone(), cut.cloned());
        let (devices, precision) = (options.devices.clone(), options.precision);
        Ok(Self {
            spec,
            cut,
            digest,
            recipe,
            output,
            feature_len,
            devices,
            pool,
            precision,
            max_batch,
            counters,
            entrance,
            workers,
            own: Flow::alone(Priority::Normal),
        })
    }

    /// Waits for a place in the queue, in the order in which callers come.
    pub async fn place(&self) -> Place<'_> {
        self.place_for(&self.own).await
    }

    /// Waits for a place in the queue, which goes to the flow that has had the fewest.
    pub async fn place_for(&self, flow: &Flow) -> Place<'_> {
        Place { extractor: self, turn: self.entrance.place(flow).await }
    }

    /// Features of a sample at the cut `flipped` or `normalized`, where nothing random is left to do.
    ///
    /// # Errors
    /// Those of [`Place::extract`]; `Internal` for an earlier cut.
    pub async fn extract(&self, payload: Payload) -> Result<Extracted, SampleFailure> {
        if !matches!(payload, Payload::Flipped(_) | Payload::Normalized(_)) {
            let message = format!(
                "without the address of its randomness a sample must be at cut flipped or normalized, not {}",
                payload.cut()
            );
            return Err(SampleFailure::new(FailureKind::Internal, message));
        }
        // Nothing draws from this address.
        let key = self.name().into();
        let (address, limits) = (Address::default(), ImageLimits::default());
        let sample = Unfinished { payload, address, key, limits, measure_cpu: false, allow_non_finite: false };
        self.place().await.extract(sample).await
    }

    /// Features of a finished tensor, f32 `[3, h, w]` in the recipe's size.
    ///
    /// # Errors
    /// Those of [`Extractor::extract`].
    pub async fn extract_tensor(&self, values: Vec<f32>) -> Result<Extracted, SampleFailure> {
        let (size, actual) = (self.recipe.output_size(), values.len());
        let tensor = Tensor::new(size, values).ok_or_else(|| {
            let message = format!("{actual} values are no tensor of {}x{} with 3 channels", size.width, size.height);
            SampleFailure::new(FailureKind::Internal, message)
        })?;
        self.extract(Payload::Normalized(tensor)).await
    }

    /// The name by which requests ask for the model.
    pub fn name(&self) -> &ModelName {
        &self.spec.name
    }

    /// BLAKE3 of the model's file; of a front, that and its cut.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Where its network is cut, where it is the front of one.
    pub fn cut(&self) -> Option<&NetworkCut> {
        self.cut.as_ref()
    }

    /// The recipe of the model's input.
    pub fn recipe(&self) -> &Arc<Recipe> {
        &self.recipe
    }

    /// The model's output that is taken as features.
    pub fn output(&self) -> &str {
        &self.output
    }

    /// Length of a sample's features; an output of more axes is flattened.
    pub fn feature_len(&self) -> usize {
        self.feature_len
    }

    /// The devices on which the model runs.
    pub fn devices(&self) -> &Devices {
        &self.devices
    }

    /// How many devices other than the processor's cores run the model, and how fast each was when it was opened, with
    /// full batches; `None` where cores run it.
    pub fn pool(&self) -> Option<DevicePool> {
        self.pool
    }

    /// The devices on which the model runs, in words, and the precision where it is not the model's own.
    pub fn runs_on(&self) -> String {
        in_words(self.devices.to_string(), self.precision)
    }

    /// What of the devices decides a sample's features: their kind and the precision. Their numbers do not.
    pub fn arithmetic(&self) -> String {
        in_words(self.devices.first().kind().to_owned(), self.precision)
    }

    /// Most samples in one run.
    pub fn max_batch(&self) -> NonZeroUsize {
        self.max_batch
    }

    /// Sessions that run side by side, one to a worker.
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// Samples in the queue that no worker has taken yet.
    pub fn waiting(&self) -> usize {
        self.entrance.waiting()
    }

    /// What the model has done so far.
    pub fn counts(&self) -> InferenceCounts {
        self.counters.read()
    }
}

// === impl Place ===

impl Place<'_> {
    /// Features of one sample. A worker finishes its recipe, from wherever it is, right into its row of the batch.
    ///
    /// On the CPU a worker is the best place for all of the recipe, decoding included: the thread that decodes a photo
    /// infers it while its tensor is still in the core's cache, and no other thread contends for the core. An
    /// accelerator's workers are few and should be given pixels at the cut `flipped`. A caller that goes away is not
    /// computed for.
    ///
    /// # Errors
    /// `Inference` where the model cannot be run on it; `Unavailable` where the workers have stopped; those of
    /// [`headwater_image::finish_into`] where the sample cannot be finished.
    pub async fn extract(self, sample: Unfinished) -> Result<Extracted, SampleFailure> {
        let answer = self.extractor.entrance.put(self.turn, sample)?;
        answer.await.unwrap_or_else(|_| Err(inference_failure("its worker failed")))
    }
}

impl std::fmt::Debug for Extractor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Extractor({} {} on {})", self.name(), self.digest.short(), self.runs_on())
    }
}

fn in_words(device: String, precision: Precision) -> String {
    match precision {
        Precision::Fp32 => device,
        Precision::Fp16 => format!("{device} in {precision}"),
    }
}
