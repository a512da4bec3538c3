//! One run of the storage server.

use anyhow::Result;
use headwater_cli::signals::Ended;
use headwater_cli::{Progress, Signals};
use tokio_util::sync::CancellationToken;

use crate::args::{Command, ServeArgs, StorageServerArgs};
use crate::indexing::index;
use crate::reloading::reload;
use crate::serve::serve;
use crate::tokens::token;

/// Does what the arguments say.
///
/// # Errors
/// The errors of the command; the signal that ended it at once, if one did.
pub async fn run(args: StorageServerArgs, progress: Progress) -> Result<()> {
    let json = args.common.json;
    match args.command {
        Command::Serve(args) => Box::pin(serve_until_stopped(*args)).await,
        Command::Index(args) => index(&args, json, &progress).await,
        Command::Reload(args) => reload(&args, json, &progress).await,
        Command::Token(args) => token(args, json),
    }
}

async fn serve_until_stopped(args: ServeArgs) -> Result<()> {
    let (mut signals, hangups) = Signals::install_apart()?;
    let stop = CancellationToken::new();
    match signals.guard(&stop, Box::pin(serve(args, hangups, stop.clone()))).await {
        Ended::Finished { value, .. } => value,
        Ended::Dropped(signal) => Err(signal.into()),
    }
}
