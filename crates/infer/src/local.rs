//! The model on this machine's cores.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use headwater_client::{ClientOptions, Delivered, Finisher, ModelInfo, Sample};
use headwater_features::{Extractor, ExtractorOptions, Runtime, Unfinished};
use headwater_pilot::Infer;
use headwater_types::{Address, AgreedLimits, CpuSeconds, FailureKind, Recipe, SampleFailure, SampleKey, Way};

use crate::error::LocalError;
use crate::file::{self, spec_of};

/// Infers samples here: decodes what came undecoded, finishes the model's recipe, and runs the model. Each thread has
/// one session.
pub struct LocalExtractor {
    extractor: Extractor,
    recipe: Arc<Recipe>,
    finisher: Finisher,
    allow_non_finite: bool,
}

/// Samples of one run. On the CPU small batches are as fast as any, and a sample that runs alone always has the same
/// bits.
const BATCH: NonZeroUsize = NonZeroUsize::MIN;

// === impl LocalExtractor ===

impl LocalExtractor {
    /// Opens the model's file, which must be the one that the servers have registered, on as many threads as the
    /// options have CPU workers. `onnxruntime`: the library, where it was named.
    ///
    /// # Errors
    /// Another file, one that cannot be read or run, and a machine without ONNX Runtime.
    pub async fn open(
        path: PathBuf,
        model: ModelInfo,
        options: &ClientOptions,
        onnxruntime: Option<PathBuf>,
    ) -> Result<Self, LocalError> {
        let finisher = Finisher::with(options).map_err(LocalError::Threads)?;
        let (threads, allow_non_finite) = (options.cpu_workers, options.allow_non_finite);
        let recipe = Arc::new(model.recipe.clone());
        let open = move || {
            let input = file::check(&path, &model)?;
            let runtime = Runtime::load(onnxruntime.as_deref())?;
            let options = ExtractorOptions { threads, max_batch: Some(BATCH), queue: 1, ..ExtractorOptions::default() };
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
        let place = match self.extractor.place().await {
            Ok(place) => place,
            Err(failure) => return (Err(failure), CpuSeconds::default()),
        };
        let (payload, opening) = self.finisher.payload(&self.recipe, delivered, limits).await;
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
            let Sample { address, key, limits, outcome, .. } = sample;
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

    fn at_once(&self) -> usize {
        // One in each thread, and one that waits for it.
        2 * self.extractor.workers()
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
