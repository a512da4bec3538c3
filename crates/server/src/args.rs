//! The settings of `storage-server serve`.

mod dataset;
mod index;
mod index_dir;
mod limits;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use headwater_features::{Device, ModelSpec};
use headwater_types::DatasetName;

pub(crate) use dataset::DatasetArgs;
pub use index::IndexArgs;
pub(crate) use index_dir::IndexDirArgs;
pub(crate) use limits::LimitArgs;

/// What is served, where, and within which limits.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    #[command(flatten)]
    pub(crate) dataset: DatasetArgs,
    /// What clients call the dataset
    #[arg(long = "dataset", value_name = "NAME", help_heading = "Dataset")]
    pub(crate) name: DatasetName,

    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7440", help_heading = "Network")]
    pub(crate) listen: SocketAddr,
    /// Write the port that is listened on to this file, once everything is ready
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(crate) port_file: Option<PathBuf>,
    /// Serve Prometheus metrics, /livez and /readyz on this address
    #[arg(long, value_name = "HOST:PORT", help_heading = "Network")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Write the metrics port to this file
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(crate) metrics_port_file: Option<PathBuf>,
    /// Most connections at a time; more wait to be accepted
    #[arg(long, value_name = "N", default_value = "256", help_heading = "Network")]
    pub(crate) max_connections: NonZeroUsize,
    /// Most fetch streams at a time over all connections; more are told to come back
    #[arg(long, value_name = "N", default_value = "256", help_heading = "Network")]
    pub(crate) max_streams: NonZeroUsize,
    /// Samples of one stream that are worked on at a time
    #[arg(long, value_name = "N", default_value = "64", help_heading = "Network")]
    pub(crate) stream_window: NonZeroUsize,
    /// After SIGTERM, let open streams finish for so many seconds; a second signal ends at once
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds, help_heading = "Network")]
    pub(crate) grace: Duration,

    /// Register a model: NAME=FILE.onnx,recipe=R[,output=O]; may be repeated
    #[arg(long, value_name = "NAME=FILE.onnx,recipe=R[,output=O]", help_heading = "Models")]
    pub(crate) model: Vec<ModelSpec>,
    /// Where models run: cpu, cuda or tensorrt; a device that is not there is an error
    #[arg(long, value_name = "DEVICE", default_value = "cpu", help_heading = "Models")]
    pub(crate) device: Device,
    /// ONNX Runtime's shared library; looked for in ORT_DYLIB_PATH, beside the program, in ../lib/headwater and in .venv if not given
    #[arg(long, value_name = "FILE", help_heading = "Models")]
    pub(crate) onnxruntime: Option<PathBuf>,
    /// Samples per inference batch; measured at start if not given
    #[arg(long, value_name = "N", help_heading = "Models")]
    pub(crate) max_batch: Option<NonZeroUsize>,
    /// How many milliseconds an accelerator waits for a batch to fill
    #[arg(long, value_name = "MS", default_value = "5", value_parser = milliseconds, help_heading = "Models")]
    pub(crate) max_wait: Duration,
    /// Inference threads on the CPU; the number of cores if not given. Planners count on --cpu-workers cores, for inference too: keep
    /// both equal, or plan with --storage-cores
    #[arg(long, value_name = "N", help_heading = "Models")]
    pub(crate) inference_workers: Option<NonZeroUsize>,

    /// Threads that decode and transform; the number of cores if not given. With 0 photos are served as they are stored
    /// (the cut encoded), and planners are told so
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(crate) cpu_workers: Option<usize>,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,

    #[command(flatten)]
    pub(crate) index: IndexDirArgs,
    /// Keep no re-written photos, and use none
    #[arg(long, help_heading = "Photo index")]
    pub(crate) no_index: bool,
}

// === impl ServeArgs ===

impl ServeArgs {
    /// Threads that decode and transform.
    pub(crate) fn cpu_workers(&self) -> usize {
        self.cpu_workers.unwrap_or_else(|| crate::open::cores().get())
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_millis).map_err(|_| "not a whole number of milliseconds".to_owned())
}
