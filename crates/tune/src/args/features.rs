//! Where features come from: storage servers, or a folder.

use std::path::PathBuf;

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_client::{ServerSource, Servers};
use headwater_types::{DatasetName, ModelName};

use super::servers::{ConnectionArgs, ServersArgs};

/// Storage servers, or a folder that an extraction has filled.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Features")]
pub(crate) struct FeaturesFrom {
    /// Storage servers, separated by commas, each HOST:PORT, or where they are found: @FILE, dns:///NAME:PORT or
    /// etcd://HOST:PORT/PREFIX; servers that have the same part stand in for each other
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',')]
    pub(super) servers: Vec<ServerSource>,

    /// The dataset's name
    #[arg(long, value_name = "NAME")]
    dataset: Option<DatasetName>,

    /// The extractor's name, as it is registered on the servers
    #[arg(long, value_name = "NAME")]
    model: Option<ModelName>,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,

    /// Take the features from this folder, which `tuner extract` has filled, and not from servers
    #[arg(long, value_name = "DIR", help_heading = "Features")]
    pub(crate) features: Option<PathBuf>,
}

// === impl FeaturesFrom ===

impl FeaturesFrom {
    /// The servers, where features come from servers.
    pub(crate) fn servers(&self) -> Result<ServersArgs, UsageError> {
        let Self { servers, dataset: Some(dataset), model: Some(model), .. } = self else {
            return Err(Self::nowhere());
        };
        if servers.is_empty() {
            return Err(Self::nowhere());
        }
        Ok(ServersArgs {
            servers: servers.clone(),
            dataset: dataset.clone(),
            model: model.clone(),
            connection: self.connection.clone(),
        })
    }

    /// Whether all servers are addresses, so that it is known how many there are.
    pub(super) fn servers_are_fixed(&self) -> bool {
        Servers::new(self.servers.clone()).is_fixed()
    }

    fn nowhere() -> UsageError {
        UsageError(
            "there is nothing to learn from: give --servers, --dataset and --model, or --features DIR".to_owned(),
        )
    }
}
