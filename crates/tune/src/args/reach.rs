//! Which storage servers are asked, and for how long they are waited for.

use std::time::Duration;

use clap::Args;
use headwater_cli::AccessArgs;
use headwater_client::{ClientOptions, DiscoveryError, ServerAddress, ServerSource, Servers};
use headwater_types::patience::CLIENT_PATIENCE;

/// Storage servers.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Servers")]
pub(crate) struct ReachArgs {
    /// Storage servers, separated by commas, each HOST:PORT, or where they are found: @FILE, dns:///NAME:PORT or
    /// etcd://HOST:PORT/PREFIX
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', required = true)]
    servers: Vec<ServerSource>,

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

    /// The servers, as they were named.
    pub(crate) fn servers(&self) -> Servers {
        self.reach.servers()
    }
}

// === impl ReachArgs ===

impl ReachArgs {
    /// The servers, as they were named.
    pub(crate) fn servers(&self) -> Servers {
        Servers::new(self.servers.clone())
    }

    /// The servers that there are now.
    ///
    /// # Errors
    /// A source that cannot be asked, or has none.
    pub(crate) async fn find(&self) -> Result<Vec<ServerAddress>, DiscoveryError> {
        self.servers().find().await
    }

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
