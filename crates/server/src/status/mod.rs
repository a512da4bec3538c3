//! What the server is doing, as one value: the page of the metrics port asks for it once a second.
//!
//! ```text
//! life, house, datasets, metrics ─▶ Status ─▶ JSON
//! ```
//!
//! Counters are totals since the start; whoever wants rates takes two of them. Each list [ends](rows), and says how
//! many rows it left out. A reader sees the datasets alone that its token is for, with their jobs and failures. No
//! token, key or credential is here; what a server says while it starts is what `/readyz` tells everybody.

mod rows;

mod cache;
mod connections;
mod dataset;
mod failures;
mod jobs;
mod models;
mod stages;

use std::time::Instant;

use serde::Serialize;

use crate::house::House;
use crate::life::{Life, Phase};
use crate::metrics::{Metrics, ProcessUsage};

use cache::CacheStatus;
use connections::ConnectionStatus;
use dataset::DatasetStatus;
use failures::FailureStatus;
use jobs::JobStatus;
use models::ModelStatus;
use rows::rows;
use stages::{MemoryStatus, StageStatus};

/// What `/status.json` says.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    /// The program's version
    version: &'static str,
    /// The commit that it is built from
    commit: &'static str,
    /// What the server is doing: starting and with what, ready, or draining
    phase: String,
    /// Whether it serves
    ready: bool,
    /// Where calls are served
    serving: String,
    /// Seconds since its start: two answers are so far apart
    clock_seconds: f64,
    /// Cores that it may use
    cores: usize,
    /// Seconds of these cores that it has used; null where the system does not say
    cpu_seconds: Option<f64>,
    /// Memory of the process; null where the system does not say
    resident_bytes: Option<f64>,
    /// Memory of samples in flight; null before the server serves
    memory: Option<MemoryStatus>,
    /// Received on all connections
    network_in_bytes: u64,
    /// Sent on all connections
    network_out_bytes: u64,
    /// The datasets, in their order
    datasets: Vec<DatasetStatus>,
    /// Where samples have spent their time
    stages: Vec<StageStatus>,
    /// What the server keeps; null where it keeps nothing
    cache: Option<CacheStatus>,
    /// Samples that failed, and calls that were refused
    failures: FailureStatus,
    /// The models that serve, and the open fronts of cut networks
    models: Vec<ModelStatus>,
    /// Training jobs
    jobs: Vec<JobStatus>,
    /// Connections, and the clients that have streams open
    connections: ConnectionStatus,
    /// Rows that are left out of the lists above
    left_out: LeftOut,
}

/// How many rows each list left out.
#[derive(Debug, Default, Serialize)]
struct LeftOut {
    /// Datasets
    datasets: usize,
    /// Models
    models: usize,
    /// Jobs
    jobs: usize,
    /// Clients
    clients: usize,
}

/// What does not change while the server runs.
#[derive(Clone, Debug)]
pub(crate) struct Fixed {
    /// Where calls are served.
    pub(crate) serving: String,
    /// `--max-connections`.
    pub(crate) most_connections: usize,
    pub(crate) began: Instant,
}

// === impl Status ===

impl Status {
    /// The server as it is now, for somebody who may see these datasets.
    pub(crate) fn now(fixed: &Fixed, (life, metrics): (&Life, &Metrics), shows: impl Fn(&str) -> bool) -> Self {
        let (phase, usage, house) = (life.phase(), ProcessUsage::now(), life.house().ok().map(|house| &**house));
        let shown: Vec<_> = life.datasets.iter().filter(|served| shows(served.name.as_str())).collect();
        let mut left_out = LeftOut::default();
        let datasets = shown.iter().map(|served| DatasetStatus::of(served, &metrics.samples(&served.name)));
        let jobs = shown.iter().flat_map(|served| jobs::of(served));
        let (connections, clients) = ConnectionStatus::of(fixed.most_connections, metrics, house);
        left_out.clients = clients;
        let models = house.into_iter().flat_map(House::opened).map(|model| ModelStatus::of(&model));
        Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: headwater_cli::commit(),
            ready: matches!(phase, Phase::Serving(_)),
            phase: phase.to_string(),
            serving: fixed.serving.clone(),
            clock_seconds: fixed.began.elapsed().as_secs_f64(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            cpu_seconds: usage.cpu_seconds,
            resident_bytes: usage.resident_bytes,
            memory: house.map(|house| MemoryStatus::of(&house.resources)),
            network_in_bytes: metrics.network_in.get(),
            network_out_bytes: metrics.network_out.get(),
            datasets: rows(datasets, &mut left_out.datasets),
            stages: metrics.stages().into_iter().map(StageStatus::of).collect(),
            cache: house.and_then(|house| house.cache.as_deref()).map(CacheStatus::of),
            failures: FailureStatus::of(metrics, &shown, &shows),
            models: rows(models, &mut left_out.models),
            jobs: rows(jobs, &mut left_out.jobs),
            connections,
            left_out,
        }
    }
}
