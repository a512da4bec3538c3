//! A command from its arguments to its printed summary, with what a signal does to it.

use std::fmt::Display;
use std::future::Future;

use anyhow::Context;
use headwater_cli::{Outcome, Progress, Signals};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::args::{Command, TunerArgs};
use crate::extract::extract;
use crate::fine_tune::{fine_tune, rounds};
use crate::ingest::ingest;
use crate::labels;
use crate::partition;
use crate::push;
use crate::relabel::relabel;
use crate::status;

/// Runs the command and prints its summary. A signal stops it, and is then the error.
pub async fn run(args: TunerArgs, progress: Progress) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let json = args.json();
    match args.command {
        Command::Extract(args) => finish(extract(&args, &progress, &stop), &stop, json).await,
        Command::FineTune(args) if let Some(mode) = args.rounds.mode => {
            finish(rounds(&args, mode, &progress, &stop), &stop, json).await
        }
        Command::FineTune(args) => finish(fine_tune(&args, &progress, &stop), &stop, json).await,
        Command::Relabel(args) => finish(relabel(&args, &progress, &stop), &stop, json).await,
        Command::Labels(args) => finish(labels::ask(&args, &stop), &stop, json).await,
        Command::Ingest(args) => finish(ingest(&args, &progress, &stop), &stop, json).await,
        Command::Push(args) => finish(push::push(&args, &progress, &stop), &stop, json).await,
        Command::Rollback(args) => finish(push::rollback(&args, &stop), &stop, json).await,
        Command::Models(args) => finish(status::list_models(&args, &stop), &stop, json).await,
        Command::Plan(args) => finish(partition::plan(&args), &stop, json).await,
        Command::Status(args) => finish(status::status(&args, json, &stop), &stop, json).await,
    }
}

async fn finish<S: Serialize + Display, E: Into<anyhow::Error>>(
    work: impl Future<Output = Result<Outcome<S>, E>>,
    stop: &CancellationToken,
    json: bool,
) -> anyhow::Result<()> {
    let mut signals = Signals::install().context("cannot take over SIGINT, SIGTERM and SIGHUP")?;
    Outcome::from(signals.guard(stop, Box::pin(work)).await).print(json)
}
