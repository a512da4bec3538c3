//! How a model is run.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use headwater_types::ByteCount;
use headwater_types::caps::MAX_MODEL_BYTES;

use crate::devices::Devices;
use crate::precision::Precision;

/// Settings of an [`Extractor`](crate::Extractor).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtractorOptions {
    /// The devices on which the model runs.
    pub devices: Devices,
    /// The precision in which it computes.
    pub precision: Precision,
    /// The folder that keeps what TensorRT builds; without one it is built at every start.
    pub engines: Option<PathBuf>,
    /// Cores that infer, on the CPU. A GPU has two workers, whatever this says: one fills a batch while the other's
    /// runs.
    pub threads: NonZeroUsize,
    /// Most samples in one run; `None` to measure at start which number is fastest.
    pub max_batch: Option<NonZeroUsize>,
    /// How long an accelerator's batch that is not full waits for more samples. On the CPU no batch waits, because
    /// small ones are as fast.
    pub max_wait: Duration,
    /// Samples that may wait for a worker, at least 1. The caller of one more waits until there is room.
    pub queue: usize,
    /// Most bytes of the model's file.
    pub max_model: ByteCount,
}

impl Default for ExtractorOptions {
    fn default() -> Self {
        Self {
            devices: Devices::default(),
            precision: Precision::Fp32,
            engines: None,
            threads: headwater_image::cores(),
            max_batch: None,
            max_wait: Duration::from_millis(5),
            queue: QUEUE,
            max_model: MAX_MODEL_BYTES,
        }
    }
}

/// Two of the largest batches: enough that a worker always finds the next one waiting.
const QUEUE: usize = 64;
