//! The dataset that a command measures, and how it is connected to.

use anyhow::Context as _;
use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_client::{ClientOptions, Dataset, ServerAddress};
use headwater_types::{Address, BitsPerSecond, DatasetName, Recipe};

use crate::args::ClientArgs;
use crate::recipe;

/// A dataset on its servers, and what is done to it.
#[derive(Debug, Args)]
pub(crate) struct ServedArgs {
    /// Storage servers; their samples follow each other in this order
    #[arg(long, value_name = "HOST:PORT,...", value_delimiter = ',', required = true)]
    servers: Vec<ServerAddress>,

    /// The dataset's name on the servers
    #[arg(long, value_name = "NAME")]
    dataset: DatasetName,

    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// A recipe and the address of its randomness.
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
    /// How the dataset is connected to, without a limit.
    pub(crate) fn options(&self) -> ClientOptions {
        self.client.options()
    }

    /// Connects, and receives no more than so much.
    pub(crate) async fn connect(
        &self,
        bandwidth: Option<BitsPerSecond>,
        options: ClientOptions,
    ) -> anyhow::Result<Dataset> {
        let options = ClientOptions { bandwidth, ..options };
        Ok(Dataset::connect(&self.servers, &self.dataset, options).await?)
    }
}

// === impl RunArgs ===

impl RunArgs {
    /// The recipe that was named.
    pub(crate) fn recipe(&self) -> anyhow::Result<Recipe> {
        let missing = || UsageError("give --recipe NAME|FILE: what is done to the photos".to_owned());
        let name = self.recipe.as_deref().ok_or_else(missing)?;
        recipe::find(name).with_context(|| format!("--recipe {name}"))
    }

    /// Whether one was named: with a model, its own holds.
    pub(crate) fn names_a_recipe(&self) -> bool {
        self.recipe.is_some()
    }

    /// The address of the crops' randomness.
    pub(crate) fn address(&self) -> Address {
        Address::new(self.seed, self.epoch)
    }
}
