//! The settings of `storage-server serve`.

mod program;

mod aside;
mod cache_dir;
mod dataset;
mod datasets;
mod gate;
mod index;
mod ingest;
mod labels;
mod limits;
mod oidc;
mod peers;
mod register;
mod reload;
mod source;
mod state;
mod token;
mod training;

mod cache;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_cli::values::{milliseconds, period, seconds, some_seconds, threads, threads_or_none};
use headwater_discovery::ServerSource;
use headwater_features::{Devices, HeadSpec, ModelSpec, Precision};
use headwater_types::{BitsPerSecond, caps};

use headwater_wire::transport::KEEPALIVE_TIMEOUT;

pub use program::StorageServerArgs;

pub(crate) use program::Command;

pub(crate) use cache::{CacheArgs, open as open_cache};
pub(crate) use cache_dir::CacheDirArgs;
pub(crate) use dataset::DatasetArgs;
pub(crate) use datasets::DatasetsArgs;
pub(crate) use gate::GateArgs;
pub use index::IndexArgs;
pub(crate) use ingest::{IngestArgs, IngestSpec};
pub(crate) use limits::LimitArgs;
pub(crate) use peers::PeerArgs;
pub(crate) use register::RegisterArgs;
pub use reload::ReloadArgs;
pub(crate) use source::SourceArgs;
pub(crate) use state::StateArgs;
pub use token::TokenArgs;
pub(crate) use training::TrainingArgs;

use crate::listen::ListenAddress;

/// What is served, where, and within which limits.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    #[command(flatten)]
    pub(crate) datasets: DatasetsArgs,
    /// List the datasets anew every so often (30s, 10m, 2h), within a tenth; without this, on SIGHUP and by
    /// storage-server reload only
    #[arg(long, value_name = "TIME", value_parser = period, help_heading = "Dataset")]
    pub(crate) refresh: Option<Duration>,
    /// Hold what was listed before for so long (30s, 10m, 2h) after its last call, for clients that began with it. At
    /// most four earlier listings are held, each with the memory of its catalog; and of each model that tuner push
    /// replaced the last one
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = period, help_heading = "Dataset")]
    pub(crate) keep_generations: Duration,

    /// Address to listen on. A name is listened on at all its addresses; without HOST it is this machine alone, 0.0.0.0
    /// is every network; without :PORT it is 7440, and port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7440", help_heading = "Network")]
    pub(crate) listen: ListenAddress,
    /// Write the port that is listened on to this file, once everything is ready
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(crate) port_file: Option<PathBuf>,
    /// Serve Prometheus metrics, /livez and /readyz on this address, from before everything is ready
    #[arg(long, value_name = "HOST:PORT", help_heading = "Network")]
    pub(crate) metrics_listen: Option<ListenAddress>,
    /// Write the metrics port to this file, at once
    #[arg(long, value_name = "FILE", help_heading = "Network")]
    pub(crate) metrics_port_file: Option<PathBuf>,
    /// Most connections at a time; more are told so, and their clients come back
    #[arg(long, value_name = "N", default_value = caps::MAX_CONNECTIONS.to_string(), help_heading = "Network")]
    pub(crate) max_connections: NonZeroUsize,
    /// Most that is sent to all clients together, such as 10Gbps, shared by clients alike; without this the system
    /// shares the network, by connection
    #[arg(long, value_name = "BANDWIDTH", help_heading = "Network")]
    pub(crate) max_bandwidth: Option<BitsPerSecond>,
    /// Close a connection that has not said within so many seconds that it speaks HTTP/2; until then it takes none of
    /// --max-connections
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = caps::HANDSHAKE_TIMEOUT.as_secs().to_string(),
        value_parser = some_seconds,
        help_heading = "Network"
    )]
    pub(crate) handshake_timeout: Duration,
    /// Close a connection without a call after so many seconds, and end a call whose request has not come whole in that
    /// time
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = caps::IDLE_TIMEOUT.as_secs().to_string(),
        value_parser = some_seconds,
        help_heading = "Network"
    )]
    pub(crate) idle_timeout: Duration,
    /// Close a connection whose peer leaves a ping unanswered for so many seconds; one is sent after ten of silence
    #[arg(
        long,
        value_name = "SECONDS",
        default_value = KEEPALIVE_TIMEOUT.as_secs().to_string(),
        value_parser = some_seconds,
        help_heading = "Network"
    )]
    pub(crate) keepalive_timeout: Duration,
    /// Most fetch streams at a time over all connections; more are told to come back
    #[arg(long, value_name = "N", default_value = "256", help_heading = "Network")]
    pub(crate) max_streams: NonZeroUsize,
    /// A stream of which the client takes nothing for so many seconds is ended; it may ask again
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds, help_heading = "Network")]
    pub(crate) unread_limit: Duration,
    /// Samples of one stream that are worked on at a time; at first a quarter, more as the client reads
    #[arg(long, value_name = "N", default_value = "64", help_heading = "Network")]
    pub(crate) stream_window: NonZeroUsize,
    /// After SIGTERM or SIGINT, let open streams finish for so many seconds; the second of them ends at once
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds, help_heading = "Network")]
    pub(crate) grace: Duration,

    /// Register a model: NAME=FILE.onnx,recipe=R[,output=O]; may be repeated. classes=FILE names its classes for labels
    /// (tuner relabel), one on each line in the order of its scores; layout=nchw|nhwc and input=float32|float16|uint8
    /// say what its file leaves open about its input
    #[arg(
        long,
        value_name = "NAME=FILE.onnx,recipe=R[,output=O][,classes=FILE][,layout=L][,input=T]",
        env = "HEADWATER_MODELS",
        help_heading = "Models"
    )]
    pub(crate) model: Vec<ModelSpec>,
    /// Register a head that tuner fine-tune has trained on the features of a --model, for tuner relabel:
    /// NAME=FILE.onnx; may be repeated
    #[arg(long, value_name = "NAME=FILE.onnx", env = "HEADWATER_HEADS", help_heading = "Models")]
    pub(crate) head: Vec<HeadSpec>,
    /// Versions that are kept of each model that tuner push brings (in --state DIR), beside the one that serves and the
    /// one that tuner rollback leads to
    #[arg(long, value_name = "N", default_value = "8", help_heading = "Models")]
    pub(crate) model_versions: NonZeroUsize,
    /// Servers that are asked, at the start and every few seconds, which versions of models serve there: what is later
    /// than here is fetched, so that a server that was away catches up. Each is HOST:PORT, or where they are found, as
    /// for --peers [default: the --peers]
    #[arg(long, value_name = "HOST:PORT,…", value_delimiter = ',', help_heading = "Models")]
    pub(crate) models_from: Vec<ServerSource>,
    /// Where models run: cpu, cuda or tensorrt; cuda:N and tensorrt:N are the GPU of that number, from 0, and several
    /// of a kind are separated by commas. A device that is not there is an error
    #[arg(long, value_name = "DEVICE,…", default_value = "cpu", help_heading = "Models")]
    pub(crate) device: Devices,
    /// Precision in which models of float32 compute: fp32; or fp16, with --device tensorrt, faster and less exact
    #[arg(
        long,
        env = "HEADWATER_DEVICE_PRECISION",
        value_name = "PRECISION",
        default_value = "fp32",
        help_heading = "Models"
    )]
    pub(crate) precision: Precision,
    /// ONNX Runtime's shared library; looked for in ORT_DYLIB_PATH, beside the program, in ../lib/headwater, in the
    /// Python environment that the program is in, and in .venv if not given
    #[arg(long, value_name = "FILE", help_heading = "Models")]
    pub(crate) onnxruntime: Option<PathBuf>,
    /// Samples per inference batch; measured at start if not given
    #[arg(long, value_name = "N", help_heading = "Models")]
    pub(crate) max_batch: Option<NonZeroUsize>,
    /// How many milliseconds an accelerator waits for a batch to fill
    #[arg(long, value_name = "MS", default_value = "5", value_parser = milliseconds, help_heading = "Models")]
    pub(crate) max_wait: Duration,
    /// Inference threads on the CPU; the number of cores if not given. Planners count on --cpu-workers cores, for
    /// inference too: keep both equal, or plan with --storage-cores
    #[arg(long, value_name = "N", value_parser = threads, help_heading = "Models")]
    pub(crate) inference_workers: Option<NonZeroUsize>,

    /// Threads that decode and transform; the number of cores if not given. With 0 photos are served as they are stored
    /// (the cut encoded), and planners are told so
    #[arg(long, value_name = "N", value_parser = threads_or_none, help_heading = "Limits")]
    pub(crate) cpu_workers: Option<usize>,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,

    #[command(flatten)]
    pub(crate) state: StateArgs,

    #[command(flatten)]
    pub(crate) cache: CacheArgs,

    #[command(flatten)]
    pub(crate) access: GateArgs,

    #[command(flatten)]
    pub(crate) peers: PeerArgs,

    #[command(flatten)]
    pub(crate) register: RegisterArgs,

    #[command(flatten)]
    pub(crate) ingest: IngestArgs,

    #[command(flatten)]
    pub(crate) training: TrainingArgs,
}

// === impl ServeArgs ===

impl ServeArgs {
    /// Settings that do not go together, each with the fix. clap cannot see them, since values may come from a file or
    /// a variable.
    pub(crate) fn conflicts(&self) -> Vec<UsageError> {
        let without_model =
            [("--max-batch", self.max_batch.is_some()), ("--inference-workers", self.inference_workers.is_some())];
        let mut found = Vec::new();
        if self.metrics_port_file.is_some() && self.metrics_listen.is_none() {
            found.push("--metrics-port-file needs --metrics-listen: there is no other port to write down".to_owned());
        }
        let ports = self.metrics_listen.as_ref().filter(|metrics| **metrics == self.listen && metrics.port() != 0);
        if let Some(both) = ports {
            found.push(format!("--listen and --metrics-listen are both {both}: give each a port of its own"));
        }
        if self.port_file.is_some() && self.port_file == self.metrics_port_file {
            found.push("--port-file and --metrics-port-file are the same file: give each its own".to_owned());
        }
        if self.cpu_workers() == 0 && !self.model.is_empty() {
            found.push(
                "--model needs threads that prepare photos: give --cpu-workers 1 or more, or no --model".to_owned(),
            );
        }
        // With a place for versions, models may be pushed.
        let never_has_a_model = self.model.is_empty() && self.state.setting().is_none();
        if never_has_a_model && self.device.is_accelerator() {
            found.push(format!("--device {} without a --model: nothing would run on it", self.device));
        }
        if let Err(error) = self.precision.check(&self.device) {
            found.push(format!("--precision {}: {error}", self.precision));
        }
        for (flag, _) in without_model.into_iter().filter(|(_, given)| *given && never_has_a_model) {
            found.push(format!("{flag} without a --model: nothing is inferred; give --model, or leave it out"));
        }
        for (place, spec) in self.model.iter().enumerate() {
            if self.model[..place].iter().any(|before| before.name == spec.name) {
                found.push(format!("--model {} is given twice: give each model a name of its own", spec.name));
            }
        }
        for (place, spec) in self.head.iter().enumerate() {
            let earlier =
                self.head[..place].iter().map(|head| &head.name).chain(self.model.iter().map(|model| &model.name));
            if earlier.into_iter().any(|name| *name == spec.name) {
                found.push(format!("--head {}: a model or head has that name: give each a name of its own", spec.name));
            }
        }
        if self.model.is_empty() && !self.head.is_empty() {
            found.push("--head without a --model: a head takes a model's features; give that model too".to_owned());
        }
        if self.cpu_workers() == 0 && !self.ingest.ingest.is_empty() {
            found.push("--ingest looks into every photo: give --cpu-workers 1 or more".to_owned());
        }
        let models: Vec<_> =
            self.model.iter().map(|spec| &spec.name).chain(self.head.iter().map(|spec| &spec.name)).collect();
        let ingest = self.ingest.conflicts(&self.datasets.specs(), &models);
        if !self.models_from.is_empty() && self.state.setting().is_none() {
            found.push("--models-from fetches versions of models, which need a place: give --state DIR too".to_owned());
        }
        if self.models_from.len() > caps::MAX_PEERS {
            let (many, most) = (self.models_from.len(), caps::MAX_PEERS);
            found.push(format!("--models-from names {many} servers: {most} is the most"));
        }
        let calls_others = self.peers.is_shared() || !self.models_from.is_empty();
        let listens = [("--listen", Some(&self.listen)), ("--metrics-listen", self.metrics_listen.as_ref())];
        let found = found.into_iter().map(UsageError).chain(ingest).chain(self.access.conflicts(listens, calls_others));
        let peers = self.peers.conflicts(&self.listen, self.cache.is_off());
        let register = self.register.conflicts(&self.listen);
        found.chain(self.cache.conflicts()).chain(peers).chain(register).chain(self.datasets.conflicts()).collect()
    }

    /// Threads that decode and transform.
    pub(crate) fn cpu_workers(&self) -> usize {
        self.cpu_workers.unwrap_or_else(|| headwater_image::cores().get())
    }
}
