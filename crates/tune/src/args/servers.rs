//! A dataset and a model on storage servers, and how they are connected to.

use std::time::Duration;

use clap::Args;
use headwater_cli::{AccessArgs, LimitArgs};
use headwater_client::{ClientOptions, ServerSource, Servers};
use headwater_extraction::ServedModel;
use headwater_types::patience::CLIENT_PATIENCE;
use headwater_types::{DatasetName, ModelName, Priority};

use super::plan::PlanArgs;

/// A dataset and a model on storage servers.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Servers")]
pub(crate) struct ServersArgs {
    /// Storage servers, separated by commas, each HOST:PORT, or where they are found: @FILE, dns:///NAME:PORT or
    /// etcd://HOST:PORT/PREFIX; servers that have the same part stand in for each other
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', required = true)]
    pub(crate) servers: Vec<ServerSource>,

    /// The dataset's name
    #[arg(long, value_name = "NAME")]
    pub(crate) dataset: DatasetName,

    /// The extractor's name, as it is registered on the servers
    #[arg(long, value_name = "NAME")]
    pub(crate) model: ModelName,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// How storage servers are connected to, and where samples are inferred.
#[derive(Clone, Debug, Args)]
pub(crate) struct ConnectionArgs {
    /// Time without a sample from a server, in seconds, after which the tuner gives up; until then a server that is
    /// restarted is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = GIVE_UP_AFTER)]
    give_up_after: u32,

    /// Go on without the samples of partitions that no server serves (--partition K/N of storage-server); without this
    /// they are an error
    #[arg(long)]
    allow_partial: bool,

    /// How much the calls count on servers beside those of others, where memory or cores are short: high, normal or
    /// low, each eight times as much as the next. Trainers' calls are normal
    #[arg(long, value_name = "PRIORITY", default_value_t = Priority::Low)]
    priority: Priority,

    /// Ask another server of a partition too for samples that one keeps waiting for longer than 99 of 100 calls wait,
    /// of at most one answer in a hundred; the first that answers is read on
    #[arg(long)]
    hedge: bool,

    #[command(flatten)]
    pub(crate) access: AccessArgs,

    #[command(flatten)]
    limits: LimitArgs,

    #[command(flatten)]
    pub(crate) plan: PlanArgs,
}

/// The seconds of the client's own patience.
const GIVE_UP_AFTER: u32 = CLIENT_PATIENCE.as_secs() as u32;

// === impl ServersArgs ===

impl ServersArgs {
    /// The dataset and the model, and how the servers are connected to. `allow_non_finite`: features that are not
    /// finite are taken too.
    ///
    /// # Errors
    /// A file of certificates or a token that cannot be used.
    pub(super) fn served_model(&self, allow_non_finite: bool) -> anyhow::Result<ServedModel> {
        let Self { servers, dataset, model, connection } = self;
        Ok(ServedModel {
            servers: Servers::new(servers.clone()),
            dataset: dataset.clone(),
            model: model.clone(),
            client: ClientOptions { allow_non_finite, ..connection.client()? },
            inference: connection.plan.inference(),
        })
    }
}

// === impl ConnectionArgs ===

impl ConnectionArgs {
    fn client(&self) -> anyhow::Result<ClientOptions> {
        let (bandwidth, access) = (self.plan.limit_bandwidth, self.access.open()?);
        let mut client = ClientOptions { bandwidth, access, ..ClientOptions::default() };
        client.cpu_workers = self.plan.inference_workers.unwrap_or(client.cpu_workers);
        client.retry.give_up_after = Duration::from_secs(self.give_up_after.into());
        client.retry.connect_for = client.retry.connect_for.min(client.retry.give_up_after);
        client.allow_partial = self.allow_partial;
        client.priority = self.priority;
        client.hedge = self.hedge;
        client.limits = self.limits.limits();
        (client.tracer, client.reader) = (headwater_cli::traces::tracer(), "tuner");
        Ok(client)
    }
}
