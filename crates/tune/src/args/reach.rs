//! Which storage servers are asked, and for how long they are waited for.

use std::time::Duration;

use clap::Args;
use headwater_cli::AccessArgs;
use headwater_client::{ClientOptions, ServerAddress};
use headwater_types::patience::CLIENT_PATIENCE;

/// Storage servers.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Servers")]
pub(crate) struct ReachArgs {
    /// Storage servers, separated by commas
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', required = true)]
    pub(crate) servers: Vec<ServerAddress>,

    /// Time without a word from a server, in seconds, after which the tuner gives up; until then a server that is
    /// restarted is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = CLIENT_PATIENCE.as_secs() as u32)]
    give_up_after: u32,

    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Storage servers that serve one dataset.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Servers")]
pub(crate) struct PartsArgs {
    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    /// Go on without the photos of partitions that no server serves (--partition K/N of storage-server); without this
    /// they are an error
    #[arg(long)]
    allow_partial: bool,
}

// === impl PartsArgs ===

impl PartsArgs {
    /// How the servers are connected to.
    ///
    /// # Errors
    /// A file of certificates or a token that cannot be used.
    pub(crate) fn options(&self) -> anyhow::Result<ClientOptions> {
        Ok(ClientOptions { allow_partial: self.allow_partial, ..self.reach.options()? })
    }

    /// The servers.
    pub(crate) fn servers(&self) -> &[ServerAddress] {
        &self.reach.servers
    }
}

// === impl ReachArgs ===

impl ReachArgs {
    /// How the servers are connected to.
    ///
    /// # Errors
    /// A file of certificates or a token that cannot be used.
    pub(crate) fn options(&self) -> anyhow::Result<ClientOptions> {
        let mut options = ClientOptions { access: self.access.open()?, ..ClientOptions::default() };
        options.retry.give_up_after = Duration::from_secs(self.give_up_after.into());
        options.retry.connect_for = options.retry.connect_for.min(options.retry.give_up_after);
        Ok(options)
    }
}
