//! The back of a cut network on this machine's cores.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use headwater_client::{ClientOptions, Delivered, Finisher, ModelInfo};
use headwater_features::{Back, Runtime, decode_row};
use headwater_types::caps::MAX_MODEL_BYTES;
use headwater_types::failure::check_finite;
use headwater_types::{CpuSeconds, FailureKind, NetworkCut, SampleFailure, Way};

use crate::error::LocalError;
use crate::file::{self, spec_of};
use crate::local::features_of;

/// Runs the back of a network here: from the tensors at a cut, which servers make, to the features.
pub struct LocalBack {
    back: Arc<Back>,
    cut: NetworkCut,
    finisher: Finisher,
    allow_non_finite: bool,
}

// === impl LocalBack ===

impl LocalBack {
    /// Opens the back of a model, whose file must be the one that the servers have registered, on as many threads as
    /// the options have CPU workers. `onnxruntime`: the library, where it was named.
    ///
    /// # Errors
    /// Another file, one that cannot be read, cut or run, and a machine without ONNX Runtime.
    pub async fn open(
        path: PathBuf,
        model: ModelInfo,
        cut: NetworkCut,
        options: &ClientOptions,
        onnxruntime: Option<PathBuf>,
    ) -> Result<Self, LocalError> {
        let finisher = Finisher::with(options).map_err(LocalError::Threads)?;
        let (threads, allow_non_finite) = (options.cpu_workers, options.allow_non_finite);
        let at = cut.clone();
        let open = move || {
            let input = file::check(&path, &model)?;
            let runtime = Runtime::load(onnxruntime.as_deref())?;
            let spec = spec_of(path.clone(), &model, input);
            let back = Back::open(&runtime, (&spec, &model.recipe), &at, (threads, MAX_MODEL_BYTES));
            let back = back.map_err(|source| LocalError::Cut { cut: at.clone(), source })?;
            // The file may have been exchanged since it was looked at.
            match back.front() == at.digest(model.digest, &model.output) {
                true => Ok(back),
                false => Err(file::other(&path, back.front(), &model)),
            }
        };
        // Loading takes tenths of a second of CPU.
        let back = Arc::new(tokio::task::spawn_blocking(open).await??);
        Ok(Self { back, cut, finisher, allow_non_finite })
    }

    /// Elements of all tensors at the cut, for one sample.
    pub fn elements(&self) -> usize {
        self.back.elements()
    }

    /// Samples that are best worked on at once: one in each thread, and one that waits for it.
    pub fn at_once(&self) -> usize {
        2 * self.finisher.workers()
    }

    /// The features of a sample that came from the front, and the CPU time that making them took here.
    pub async fn infer(&self, delivered: Delivered) -> (Result<Vec<f32>, SampleFailure>, CpuSeconds) {
        let (back, allow_non_finite) = (Arc::clone(&self.back), self.allow_non_finite);
        let job = move || {
            let row = row_of(&delivered, back.elements())?;
            let features = back.features(&row)?;
            if !allow_non_finite {
                check_finite(&features)?;
            }
            Ok(features)
        };
        self.finisher.metered(job).await
    }
}

impl fmt::Debug for LocalBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalBack(from {})", self.cut)
    }
}

/// The elements of a sample's tensors, as they came.
fn row_of(delivered: &Delivered, elements: usize) -> Result<Vec<f32>, SampleFailure> {
    match delivered.way {
        Way::FEATURES => Ok(features_of(delivered)),
        Way::FEATURES_LOSSLESS => decode_row(&delivered.payload, elements),
        way => Err(SampleFailure::new(FailureKind::Internal, format!("a front's tensors do not come as {way}"))),
    }
}
