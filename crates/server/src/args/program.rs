//! The command line of `storage-server`.

use clap::{Parser, Subcommand};
use headwater_cli::Common;

use super::{IndexArgs, ReloadArgs, ServeArgs, TokenArgs};

/// Serves photos, tensors and features from where the photos rest
#[derive(Debug, Parser)]
#[command(name = "storage-server", after_help = EXAMPLES)]
pub struct StorageServerArgs {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve datasets over gRPC until SIGTERM or SIGINT; SIGHUP lists them anew
    Serve(Box<ServeArgs>),
    /// Re-write photos ahead, so that their crops are served without decoding
    Index(Box<IndexArgs>),
    /// Have a server on this machine list its datasets anew, and say what changed
    Reload(ReloadArgs),
    /// Make a token, and the line by which servers know it
    Token(TokenArgs),
}

const EXAMPLES: &str = "\
Examples:
  storage-server serve --data /srv/photos --dataset photos
  storage-server index --data /srv/photos \\
      --cache-dir /var/cache/headwater
  storage-server serve --dataset photos=/srv/photos \\
      --dataset flowers=s3://bucket/flowers,partition=1/2
  storage-server serve --data s3://bucket/photos --dataset photos \\
      --partition 1/2 --listen 0.0.0.0:7440 \\
      --tls-cert node1.pem --tls-key node1.key
  storage-server serve --data /srv/photos --dataset photos \\
      --metrics-listen 127.0.0.1:9464 \\
      --model mobilenet=mobilenet_v2.onnx,recipe=mobilenet-eval

Every flag is also a variable (--cpu-workers: HEADWATER_CPU_WORKERS) and a
key of --config FILE.toml.";

// === impl StorageServerArgs ===

impl StorageServerArgs {
    /// The flags that every program has.
    pub fn common(&self) -> &Common {
        &self.common
    }

    /// Whether the command ends by itself, and so has progress to show.
    pub fn ends_by_itself(&self) -> bool {
        matches!(self.command, Command::Index(_) | Command::Reload(_))
    }
}
