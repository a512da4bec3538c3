//! The settings of `storage-server reload`.

use clap::Args;
use headwater_cli::AccessArgs;

use crate::listen::ListenAddress;

/// Which server lists its datasets anew.
#[derive(Args, Clone, Debug)]
pub struct ReloadArgs {
    /// The server's address, as its --listen has it; it answers only on its own machine
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7440", help_heading = "Network")]
    pub(crate) address: ListenAddress,

    #[command(flatten)]
    pub(crate) access: AccessArgs,
}
