//! The settings of `storage-server serve`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use headwater_features::{Device, ModelSpec};
use headwater_store::{Location, Partition};
use headwater_types::{ByteCount, DatasetName, ImageLimits, caps};

/// What is served, where, and within which limits.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// The dataset: a folder (class folders give labels) or s3://bucket/prefix (standard AWS_* variables)
    #[arg(long, value_name = "DIR|s3://…", help_heading = "Dataset")]
    pub data: Location,
    /// What clients call the dataset
    #[arg(long, value_name = "NAME", help_heading = "Dataset")]
    pub dataset: DatasetName,
    /// Serve only the K-th of N parts of the dataset, so that N servers can share one folder or bucket
    #[arg(long, value_name = "K/N", default_value = "1/1", help_heading = "Dataset")]
    pub partition: Partition,
    /// Address of an S3-compatible store, over AWS_ENDPOINT_URL
    #[arg(long, value_name = "URL", help_heading = "Dataset")]
    pub s3_endpoint: Option<String>,
    /// Allow plain HTTP to an S3-compatible store that is not on this machine
    #[arg(long, help_heading = "Dataset")]
    pub s3_allow_http: bool,

    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7440", help_heading = "Network")]
    pub listen: SocketAddr,
    /// Write the port that is listened on to this file, once everything is ready
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub port_file: Option<PathBuf>,
    /// Serve Prometheus metrics, /livez and /readyz on this address
    #[arg(long, value_name = "HOST:PORT", help_heading = "Network")]
    pub metrics_listen: Option<SocketAddr>,
    /// Write the metrics port to this file
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub metrics_port_file: Option<PathBuf>,
    /// Most connections at a time; more wait to be accepted
    #[arg(long, value_name = "N", default_value = "256", help_heading = "Network")]
    pub max_connections: NonZeroUsize,
    /// Most fetch streams at a time over all connections; more are told to come back
    #[arg(long, value_name = "N", default_value = "256", help_heading = "Network")]
    pub max_streams: NonZeroUsize,
    /// Samples of one stream that are worked on at a time
    #[arg(long, value_name = "N", default_value = "64", help_heading = "Network")]
    pub stream_window: NonZeroUsize,
    /// After SIGTERM, let open streams finish for so many seconds; a second signal ends at once
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds, help_heading = "Network")]
    pub grace: Duration,

    /// Register a model: NAME=FILE.onnx,recipe=R[,output=O]; may be repeated
    #[arg(long, value_name = "NAME=FILE.onnx,recipe=R[,output=O]", help_heading = "Models")]
    pub model: Vec<ModelSpec>,
    /// Where models run: cpu, cuda or tensorrt; a device that is not there is an error
    #[arg(long, value_name = "DEVICE", default_value = "cpu", help_heading = "Models")]
    pub device: Device,
    /// ONNX Runtime's shared library; looked for in ORT_DYLIB_PATH, beside the program and in .venv if not given
    #[arg(long, value_name = "FILE", help_heading = "Models")]
    pub onnxruntime: Option<PathBuf>,
    /// Samples per inference batch; measured at start if not given
    #[arg(long, value_name = "N", help_heading = "Models")]
    pub max_batch: Option<NonZeroUsize>,
    /// How many milliseconds an accelerator waits for a batch to fill
    #[arg(long, value_name = "MS", default_value = "5", value_parser = milliseconds, help_heading = "Models")]
    pub max_wait: Duration,
    /// Inference threads on the CPU; the number of cores if not given
    #[arg(long, value_name = "N", help_heading = "Models")]
    pub inference_workers: Option<NonZeroUsize>,

    /// Threads that decode and transform; the number of cores if not given
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub cpu_workers: Option<NonZeroUsize>,
    /// Memory for all samples in flight
    #[arg(long, value_name = "SIZE", default_value_t = caps::SAMPLE_MEMORY, help_heading = "Limits")]
    pub memory: ByteCount,
    /// Most memory for one sample, known from its header
    #[arg(long, value_name = "SIZE", default_value_t = caps::MAX_SAMPLE_MEMORY, help_heading = "Limits")]
    pub max_sample_memory: ByteCount,
    /// Most bytes of one stored object
    #[arg(long, value_name = "SIZE", default_value_t = caps::MAX_OBJECT, help_heading = "Limits")]
    pub max_object_bytes: ByteCount,
    /// Most pixels of an image
    #[arg(long, value_name = "N", default_value_t = caps::MAX_PIXELS, help_heading = "Limits")]
    pub max_pixels: u64,
    /// Longest side of an image, in pixels
    #[arg(long, value_name = "N", default_value_t = caps::MAX_DIMENSION, help_heading = "Limits")]
    pub max_dimension: u32,
}

// === impl ServeArgs ===

impl ServeArgs {
    /// The limits that hold before pixels.
    pub(crate) fn image_limits(&self) -> ImageLimits {
        ImageLimits {
            max_dimension: self.max_dimension,
            max_pixels: self.max_pixels,
            max_object: self.max_object_bytes,
            max_sample_memory: self.max_sample_memory,
            ..ImageLimits::default()
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_millis).map_err(|_| "not a whole number of milliseconds".to_owned())
}
