//! The dataset that a command measures, and how it is connected to.

use std::num::NonZeroUsize;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_cli::recipe::find as find_recipe;
use headwater_cli::{AccessArgs, LimitArgs, values};
use headwater_client::{ClientOptions, Dataset, Retry, ServerSource, Servers};
use headwater_types::patience::CLIENT_PATIENCE;
use headwater_types::{Address, BitsPerSecond, ByteCount, DatasetName, Priority, Recipe};

/// The seconds of [`Retry`]'s default.
const GIVE_UP_AFTER: u32 = CLIENT_PATIENCE.as_secs() as u32;

/// How servers are connected to, and what finishes their samples here.
#[derive(Debug, Args)]
#[command(next_help_heading = "Client")]
pub(crate) struct ClientArgs {
    /// Calls that run at once to each server
    #[arg(long, value_name = "N", default_value_t = ClientOptions::default().streams_per_server)]
    streams: NonZeroUsize,

    /// Bytes that may wait here for a thread
    #[arg(long, value_name = "SIZE", default_value_t = ClientOptions::default().window)]
    window: ByteCount,

    /// Threads that finish recipes [default: one for each core]
    #[arg(long, env = "HEADWATER_CLIENT_CPU_WORKERS", value_name = "N", value_parser = values::threads)]
    cpu_workers: Option<NonZeroUsize>,

    /// Seconds without one sample from a server after which to stop
    #[arg(long, value_name = "SECONDS", default_value_t = GIVE_UP_AFTER)]
    give_up_after: u32,

    /// Go on without the samples of partitions that no server serves (--partition K/N of storage-server); without this
    /// they are an error
    #[arg(long)]
    allow_partial: bool,

    /// How much the calls count on servers beside those of others, where memory or cores are short: high, normal or
    /// low, each eight times as much as the next
    #[arg(long, value_name = "PRIORITY", default_value_t = Priority::Normal)]
    priority: Priority,

    /// Ask another server of a partition too for samples that one keeps waiting for longer than 99 of 100 calls wait,
    /// of at most one answer in a hundred; the first that answers is read on
    #[arg(long)]
    hedge: bool,

    #[command(flatten)]
    limits: LimitArgs,

    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// A dataset on its servers.
#[derive(Debug, Args)]
pub(crate) struct ServedArgs {
    /// Storage servers, each HOST:PORT, or where they are found: @FILE, dns:///NAME:PORT or etcd://HOST:PORT/PREFIX;
    /// servers that have the same part stand in for each other
    #[arg(long, value_name = "HOST:PORT,...", value_delimiter = ',', required = true)]
    servers: Vec<ServerSource>,

    /// The dataset's name on the servers
    #[arg(long, value_name = "NAME")]
    pub(crate) dataset: DatasetName,
}

/// A recipe, and the address of its randomness.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// What is done to the photos: a recipe in the box, or a TOML file
    #[arg(long, value_name = "NAME|FILE")]
    recipe: Option<String>,

    /// The run's seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// The pass over the dataset
    #[arg(long, value_name = "N", default_value_t = 0)]
    epoch: u64,
}

// === impl ServedArgs ===

impl ServedArgs {
    /// The servers, as they were named.
    pub(crate) fn servers(&self) -> Servers {
        Servers::new(self.servers.clone())
    }

    /// Connects, and receives no more than this.
    pub(crate) async fn connect(
        &self,
        bandwidth: Option<BitsPerSecond>,
        options: ClientOptions,
    ) -> anyhow::Result<Dataset> {
        let options = ClientOptions { bandwidth, ..options };
        Ok(Dataset::connect(&self.servers(), &self.dataset, options).await?)
    }
}

// === impl ClientArgs ===

impl ClientArgs {
    /// How a dataset is connected to, without a limit on bandwidth.
    ///
    /// # Errors
    /// A file of certificates or a token that cannot be used.
    pub(crate) fn options(&self) -> anyhow::Result<ClientOptions> {
        let defaults = ClientOptions::default();
        let give_up_after = Duration::from_secs(self.give_up_after.into());
        Ok(ClientOptions {
            access: self.access.open()?,
            streams_per_server: self.streams,
            window: self.window,
            cpu_workers: self.cpu_workers.unwrap_or(defaults.cpu_workers),
            limits: self.limits.limits(),
            retry: Retry { give_up_after, ..defaults.retry.clone() },
            allow_partial: self.allow_partial,
            priority: self.priority,
            hedge: self.hedge,
            tracer: headwater_cli::traces::tracer(),
            reader: "profiler",
            ..defaults
        })
    }
}

// === impl RunArgs ===

impl RunArgs {
    /// The recipe that was named.
    pub(crate) fn recipe(&self) -> anyhow::Result<Recipe> {
        let missing = || UsageError("give --recipe NAME|FILE: what is done to the photos".to_owned());
        let name = self.recipe.as_deref().ok_or_else(missing)?;
        find_recipe(name).with_context(|| format!("--recipe {name}"))
    }

    /// Whether a recipe was named. With a model none is: the model has a recipe of its own.
    pub(crate) fn names_a_recipe(&self) -> bool {
        self.recipe.is_some()
    }

    /// The address of the crops' randomness.
    pub(crate) fn address(&self) -> Address {
        Address::new(self.seed, self.epoch)
    }
}
