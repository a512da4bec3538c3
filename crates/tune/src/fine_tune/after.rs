//! What becomes of a head once it is trained: pushed to the servers that its features come from, and asked for labels.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use headwater_cli::{Outcome, Progress};
use headwater_client::label_calls::Relabel;
use headwater_client::model_standing;
use headwater_rollout::Fleet;
use headwater_training::TrainingError;
use headwater_types::ModelName;
use tokio_util::sync::CancellationToken;

use crate::args::FineTuneArgs;
use crate::push::{NotPushed, Stopped, head, push_candidate};
use crate::relabel::{Labellers, bring, label};
use crate::report::Pushed;

/// Finds out before the training whether the servers can take its head.
pub(super) async fn rehearse(args: &FineTuneArgs, name: &ModelName) -> Result<()> {
    let served = args.served_model()?;
    for (task, server) in (0..).zip(&served.servers.find().await?) {
        let standing = model_standing(server, name, &served.client, task).await?;
        if !standing.keeps {
            bail!("--push: server {server} has no place for versions of models: start it with --state DIR");
        }
        if standing.active.is_some() && !standing.is_head {
            bail!("--push {name}: that is a model on server {server}, and no head: give the head another name");
        }
    }
    Ok(())
}

/// Pushes the head by this name, and has the servers label by it where that is wanted. What was trained is kept
/// whatever comes of that.
pub(super) async fn push_and_relabel<S: Pushed>(
    (args, name): (&FineTuneArgs, &ModelName),
    mut summary: S,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<Outcome<S>> {
    let served = args.served_model()?;
    let Some(path) = summary.kept().path().map(ToOwned::to_owned) else {
        return Ok(Outcome::short(summary, NotPushed("the head could not be kept, and was not pushed".to_owned())));
    };
    let name_of = name.clone();
    let candidate = tokio::task::spawn_blocking(move || head(&name_of, &path)).await.map_err(TrainingError::from)?;
    let candidate = candidate.context("reading the head")?;
    let servers = match served.servers.find().await {
        Ok(servers) => servers,
        Err(error) => return Ok(Outcome::short(summary, error)),
    };
    let fleet = Fleet { servers: &servers, options: &served.client, wait: Duration::ZERO };
    let pushing = push_candidate(&candidate, (&args.bases, true), fleet, progress);
    let pushed = match stop.run_until_cancelled(Box::pin(pushing)).await {
        None => return Ok(Outcome::short(summary, Stopped)),
        Some(Err(error)) => return Ok(Outcome::short(summary, error)),
        Some(Ok(pushed)) => pushed,
    };
    let missing = pushed.missing();
    let summary = summary.with_push(pushed);
    if let Some(words) = missing {
        return Ok(Outcome::short(summary, NotPushed(words)));
    }
    if !args.relabel {
        return Ok(Outcome::done(summary));
    }
    let request = Relabel::new(served.dataset.clone(), name.clone());
    let max_failures = args.failures.max_failures;
    let labelled = if args.from.connection.plan.makes_features() {
        bring(served, &request, max_failures, progress, stop).await
    } else {
        let (servers, options) = (&served.servers, served.client);
        label(Labellers { servers, options, is_detached: false, max_failures }, &request, progress, stop).await
    };
    Ok(match labelled {
        Err(error) => Outcome::short(summary, error),
        Ok(labelled) => {
            let (labelled, fault) = labelled.into_parts();
            let summary = summary.with_relabel(labelled);
            Outcome::of(summary, fault.map_or(Ok(()), Err))
        }
    })
}
