//! A command from its arguments to its printed summary, with what a signal does to it.

use std::fmt::Display;
use std::future::Future;

use anyhow::Context;
use headwater_cli::output::{print_json, stdout};
use headwater_cli::signals::Ended;
use headwater_cli::{Progress, Signals};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::args::{Command, TunerArgs};
use crate::extract::extract;
use crate::fine_tune::fine_tune;

/// Runs the command and prints its summary. A signal stops it, and is then the error.
pub async fn run(args: TunerArgs, progress: Progress) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let json = args.json();
    match args.command {
        Command::Extract(args) => finish(extract(&args, &progress, &stop), &stop, json).await,
        Command::FineTune(args) => finish(fine_tune(&args, &progress, &stop), &stop, json).await,
    }
}

async fn finish<S: Serialize + Display, E: std::error::Error + Send + Sync + 'static>(
    work: impl Future<Output = Result<S, E>>,
    stop: &CancellationToken,
    json: bool,
) -> anyhow::Result<()> {
    let mut signals = Signals::install().context("cannot take over SIGINT and SIGTERM")?;
    let summary = match signals.guard(stop, Box::pin(work)).await {
        Ended::Finished { value: Ok(summary), .. } => summary,
        Ended::Finished { value: Err(error), asked: Some(signal) } => {
            return Err(anyhow::Error::new(signal).context(error));
        }
        Ended::Finished { value: Err(error), asked: None } => return Err(error.into()),
        Ended::Dropped(signal) => return Err(signal.into()),
    };
    let printed = if json { print_json(&summary) } else { print(&summary) };
    printed.context("the summary could not be printed")
}

fn print(summary: &impl Display) -> std::io::Result<()> {
    use std::io::Write;
    let mut out = stdout();
    writeln!(out, "{summary}")?;
    out.flush()
}
