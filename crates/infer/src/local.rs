//! The model on this machine: on its cores, or on its GPUs.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use headwater_client::{ClientOptions, Delivered, Finisher, ModelInfo, Sample};
use headwater_features::{Devices, Extractor, ExtractorOptions, Precision, Runtime, Unfinished};
use headwater_pilot::Infer;
use headwater_types::{
    Address, AgreedLimits, CpuSeconds, DevicePool, FailureKind, Recipe, SampleFailure, SampleKey, Way,
};

use crate::error::LocalError;
use crate::file::{self, spec_of};

/// Infers samples here: decodes what came undecoded, finishes the model's recipe, and runs the model. On the CPU each
/// thread has one session, and does all of a sample; a GPU's sessions are given pixels that the threads have made.
pub struct LocalExtractor {
    extractor: Extractor,
    recipe: Arc<Recipe>,
    finisher: Finisher,
    allow_non_finite: bool,
}

/// Where a model runs here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalOptions {
    /// ONNX Runtime's shared library; it is looked for where none is named.
    pub onnxruntime: Option<PathBuf>,
    /// The devices.
    pub devices: Devices,
    /// The precision in which the model computes.
    pub precision: Precision,
    /// The folder that keeps what TensorRT builds.
    pub engines: Option<PathBuf>,
}

/// Samples of one run. On the CPU small batches are as fast as any, and a sample that runs alone always has the same
/// bits. A GPU's runs have as many samples as are found to be fast.
const BATCH: NonZeroUsize = NonZeroUsize::MIN;

// === impl LocalExtractor ===

impl LocalExtractor {
    /// Opens the model's file, which must be the one that the servers have registered, with as many threads as the
    /// options have CPU workers.
    ///
    /// # Errors
    /// Another file, one that cannot be read or run, and a machine without ONNX Runtime or the device.
    pub async fn open(
        path: PathBuf,
        model: ModelInfo,
        options: &ClientOptions,
        here: LocalOptions,
    ) -> Result<Self, LocalError> {
        let finisher = Finisher::with(options).map_err(LocalError::Threads)?;
        let (threads, allow_non_finite) = (options.cpu_workers, options.allow_non_finite);
        let recipe = Arc::new(model.recipe.clone());
        let open = move || {
            let input = file::check(&path, &model)?;
            let LocalOptions { onnxruntime, devices, precision, engines } = here;
            let runtime = Runtime::load(onnxruntime.as_deref())?;
            let (max_batch, queue) = match devices.is_accelerator() {
                true => (None, 2 * threads.get()),
                false => (Some(BATCH), 1),
            };
            let options = ExtractorOptions {
                devices,
                precision,
                engines,
                threads,
                max_batch,
                queue,
                ..ExtractorOptions::default()
            };
            let spec = spec_of(path.clone(), &model, input);
            let extractor = Extractor::open(&runtime, &spec, model.recipe.clone(), &options)?;
            // The file may have been exchanged since it was looked at.
            if extractor.digest() != model.digest {
                return Err(file::other(&path, extractor.digest(), &model));
            }
            Ok(extractor)
        };
        // Loading takes tenths of a second of CPU.
        let extractor = tokio::task::spawn_blocking(open).await??;
        Ok(Self { extractor, recipe, finisher, allow_non_finite })
    }

    async fn run(
        &self,
        (delivered, limits): (Delivered, AgreedLimits),
        key: SampleKey,
        address: Address,
    ) -> (Result<Vec<f32>, SampleFailure>, CpuSeconds) {
        // Before the payload is opened: who waits for a thread holds no pixels.
        let place = self.extractor.place().await;
        let (payload, opening) = match self.extractor.devices().is_accelerator() {
            true => self.finisher.pixels(&self.recipe, (delivered, limits), (key.clone(), address)).await,
            false => self.finisher.payload(&self.recipe, delivered, limits).await,
        };
        let payload = match payload {
            Ok(payload) => payload,
            Err(failure) => return (Err(failure), opening),
        };
        let (limits, allow_non_finite) = (limits.limits(), self.allow_non_finite);
        let sample = Unfinished { payload, address, key, limits, measure_cpu: true, allow_non_finite };
        match place.extract(sample).await {
            Ok(extracted) => {
                let inferring = extracted.cpu.unwrap_or_default();
                (Ok(extracted.features), CpuSeconds(opening.0 + inferring.0))
            }
            Err(failure) => (Err(failure), opening),
        }
    }
}

impl Infer for LocalExtractor {
    fn infer(&self, sample: Sample) -> BoxFuture<'_, (Result<Vec<f32>, SampleFailure>, CpuSeconds)> {
        async move {
            let Sample { address, key, limits, outcome, trace, .. } = sample;
            let _finishing = trace.finishing();
            match (outcome, key) {
                (Ok(delivered), _) if delivered.way == Way::FEATURES => {
                    (Ok(features_of(&delivered)), CpuSeconds::default())
                }
                (Ok(delivered), Some(key)) => self.run((delivered, limits), key, address).await,
                (Ok(_), None) => {
                    let message = "a sample without a key cannot be framed";
                    (Err(SampleFailure::new(FailureKind::Internal, message)), CpuSeconds::default())
                }
                (Err(failure), _) => (Err(failure), CpuSeconds::default()),
            }
        }
        .boxed()
    }

    fn devices(&self) -> Option<DevicePool> {
        self.extractor.pool()
    }

    fn at_once(&self) -> usize {
        // One batch in each worker, and one that waits for it: on the CPU a batch is one sample. What is made into
        // pixels for a GPU comes on top.
        let batches = 2 * self.extractor.workers() * self.extractor.max_batch().get();
        match self.extractor.devices().is_accelerator() {
            true => batches + 2 * self.finisher.workers(),
            false => batches,
        }
    }
}

impl fmt::Debug for LocalExtractor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalExtractor").field(&self.extractor).finish()
    }
}

/// A sample that came as features: f32 `[d]`. The client has checked that it is of the model's length.
pub fn features_of(delivered: &Delivered) -> Vec<f32> {
    delivered.payload.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}
