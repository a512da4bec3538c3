//! `tuner fine-tune --mode`: a head that servers train on their own features, in rounds.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use headwater_cli::{Failures, Outcome, Progress};
use headwater_client::TrainingServer;
use headwater_federation::{Checkpoint, Federated, FederationError, FederationOptions, Journal, Place};
use headwater_plan::sync::Mode;
use headwater_tables::features::FeatureProvenance;
use headwater_training::TrainingError;
use headwater_types::digest::Digester;
use tokio_util::sync::CancellationToken;

use super::here::here;
use super::live::listener;
use super::{after, open_outputs, save};
use crate::args::FineTuneArgs;
use crate::report::RoundsSummary;

/// Trains to the end of the rounds. After `stop`, ends at once: the checkpoint has the last round.
pub(crate) async fn rounds(
    args: &FineTuneArgs,
    mode: Mode,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<Outcome<RoundsSummary>> {
    let begin = Instant::now();
    let file = open_outputs(args)?;
    if let Some(name) = &args.push {
        let rehearsal = Box::pin(after::rehearse(args, name));
        stop.run_until_cancelled(rehearsal).await.ok_or(TrainingError::Stopped)??;
    }
    let found = stop.run_until_cancelled(places(args, mode, progress)).await.ok_or(TrainingError::Stopped)??;
    let (names, places) = found;
    let options = args.federation(mode, places.len())?;
    let checkpoint = open_checkpoint(args, &options)?;
    let journal = Journal::new(log(args, checkpoint.is_some())?, listener(progress, &options, &names));

    let federated = headwater_federation::train(places, &options, checkpoint.as_ref(), journal, stop).await?;
    let provenance = provenance(&federated, &options)?;
    let saved = save(file, provenance.clone(), federated.head.clone()).await?;
    if let (None, Some(path)) = (&saved.fault, &options.checkpoint) {
        // The head is saved: there is nothing to go on with.
        let _ = std::fs::remove_file(path);
    }
    let fault = saved.fault;
    let of = (&options, &provenance);
    let summary = RoundsSummary::new(&federated, of, (saved.head, saved.joined), begin.elapsed().as_secs_f64());
    let images = summary.images();
    let few_enough = failures(&federated).check(images, args.failures.max_failures).map_err(anyhow::Error::from);
    match (&args.push, fault.map_or(few_enough, |fault| Err(fault.into()))) {
        (Some(name), Ok(())) => after::push_and_relabel((args, name), summary, progress, stop).await,
        // A head that was trained on few of the photos, or could not be kept, serves nobody.
        (_, fault) => Ok(Outcome::of(summary, fault)),
    }
}

/// The workers, and what they are called.
async fn places(args: &FineTuneArgs, mode: Mode, progress: &Progress) -> Result<(Vec<String>, Vec<Place>)> {
    if mode == Mode::Central {
        return Ok((vec!["tuner".to_owned()], vec![Place::Here(Arc::new(here(args, progress).await?))]));
    }
    let served = args.served_model()?;
    let servers = served.servers.find().await?;
    args.rounds.check_count(servers.len())?;
    let names = servers.iter().map(ToString::to_string).collect();
    let servers = servers.into_iter().map(|server| TrainingServer::new(server, &served.client));
    Ok((names, servers.map(|server| server.map(Place::Server)).collect::<Result<_, _>>()?))
}

/// The run's earlier state, where it has one.
fn open_checkpoint(args: &FineTuneArgs, options: &FederationOptions) -> Result<Option<Checkpoint>> {
    let Some(path) = options.checkpoint.as_deref().filter(|_| !args.rounds.from_scratch) else { return Ok(None) };
    let checkpoint = Checkpoint::read(path, options)?;
    if let Some(checkpoint) = &checkpoint {
        let round = checkpoint.round();
        tracing::warn!(
            checkpoint = %path.display(), round,
            "going on after the last round of an earlier start (--from-scratch begins anew)"
        );
    }
    Ok(checkpoint)
}

/// Where the log goes: behind that of an earlier start, or in its place.
fn log(args: &FineTuneArgs, goes_on: bool) -> Result<Option<Box<dyn Write + Send>>> {
    let Some(path) = &args.rounds.run_log else { return Ok(None) };
    let mut open = OpenOptions::new();
    let file = match goes_on {
        true => open.create(true).append(true).open(path),
        false => open.create(true).write(true).truncate(true).open(path),
    };
    let mut file = file.with_context(|| format!("--run-log {}", path.display()))?;
    if goes_on && !ends_a_line(path) {
        // Its last line was cut when the tuner was killed: it ends here, and is counted as cut.
        file.write_all(b"\n")?;
    }
    Ok(Some(Box::new(file)))
}

/// Whether a file is empty or ends with a line's end.
fn ends_a_line(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes.last().is_none_or(|last| *last == b'\n'))
}

/// What the head is a head of.
fn provenance(federated: &Federated, options: &FederationOptions) -> Result<FeatureProvenance, FederationError> {
    let mut known = federated.workers.iter().filter_map(|worker| worker.features.as_ref());
    let first = known.next().ok_or(FederationError::Lost)?;
    let mut digester = Digester::default();
    let all = federated.workers.iter().filter_map(|worker| worker.features.as_ref());
    let mut samples = 0;
    for features in all {
        digester.field(features.dataset_digest.as_bytes());
        samples += features.labels.iter().sum::<u64>() + features.held_out;
    }
    Ok(FeatureProvenance {
        dataset: options.dataset.clone(),
        dataset_digest: digester.finish(),
        samples,
        classes: federated.classes.clone(),
        model: options.model.clone(),
        model_digest: first.model_digest,
        recipe_digest: first.recipe_digest,
        output: first.output.clone(),
        feature_len: first.feature_len,
    })
}

/// Samples without a feature, of all workers.
fn failures(federated: &Federated) -> Failures {
    let mut failures = Failures::default();
    let features = federated.workers.iter().filter_map(|worker| worker.features.as_ref());
    for failed in features.flat_map(|features| &features.failed) {
        failures.add_counted(failed.kind, failed.count, failed.first_keys.iter().map(String::as_str));
    }
    failures
}
