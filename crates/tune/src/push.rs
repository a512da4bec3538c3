//! `tuner push` and `tuner rollback`: a model on all servers, and back.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use headwater_cli::input::read_at_most;
use headwater_cli::{GrowingBar, Outcome, Progress, recipe};
use headwater_client::model_calls::PushManner;
use headwater_onnx::head::{EXTRACTOR_KEY, class_lines};
use headwater_onnx::{Limits, ModelFacts, file};
use headwater_rollout::{Bases, Candidate, Fleet, push as push_to, roll_back};
use headwater_types::caps::{MAX_LABELLER_BYTES, MAX_MODEL_BYTES};
use headwater_types::{ByteCount, ModelName};
use tokio_util::sync::CancellationToken;

use crate::args::{BasesArgs, PushArgs, PushSpec, RollbackArgs};
use crate::labels::Unanswered;
use crate::report::{PushSummary, RollbackSummary};

/// Servers that do not have what was pushed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotPushed(pub(crate) String);

/// The push was stopped; what has come stays, and the same command goes on from there.
#[derive(Debug, thiserror::Error)]
#[error("stopped before all servers had the model: the same command goes on from where it was")]
pub(crate) struct Stopped;

/// Pushes a model to all servers. After `stop` what has come stays there.
pub(crate) async fn push(
    args: &PushArgs,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<Outcome<PushSummary>> {
    let spec = args.model.clone();
    let candidate = tokio::task::spawn_blocking(move || candidate(&spec)).await.context("reading the model")??;
    let servers = stop.run_until_cancelled(args.reach.find()).await.ok_or(Stopped)??;
    let fleet = Fleet { servers: &servers, options: &args.reach.options()?, wait: args.wait() };
    let pushed = push_candidate(&candidate, (&args.bases, args.activate), fleet, progress);
    let summary = stop.run_until_cancelled(Box::pin(pushed)).await.ok_or(Stopped)??;
    let missing = summary.missing();
    Ok(Outcome::of(summary, missing.map_or(Ok(()), |words| Err(NotPushed(words)))))
}

/// Pushes what was read, with a bar over the bytes of all servers, and keeps it for the next difference.
pub(crate) async fn push_candidate(
    candidate: &Candidate,
    (bases, is_activated): (&BasesArgs, bool),
    fleet: Fleet<'_>,
    progress: &Progress,
) -> Result<PushSummary> {
    let (files, folder) = (bases.base.clone(), bases.folder());
    let open = tokio::task::spawn_blocking(move || Bases::open(&files, folder));
    let bases = Arc::new(open.await.context("reading earlier models")?.context("--base")?);
    let (bar, far) = (GrowingBar::new(progress, "push (bytes)"), Mutex::new(vec![(0, 0); fleet.servers.len()]));
    let told = |server: usize, received: ByteCount, of: ByteCount| {
        let mut far = far.lock().unwrap_or_else(PoisonError::into_inner);
        far[server] = (received.get(), of.get());
        bar.update(far.iter().map(|(received, _)| received).sum(), far.iter().map(|(_, of)| of).sum());
    };
    let pushed = push_to(candidate, Arc::clone(&bases), fleet, is_activated, &told).await?;
    let file = candidate.file.clone();
    let kept = tokio::task::spawn_blocking(move || bases.keep(&file)).await.context("keeping the model")?;
    if let Err(error) = kept {
        tracing::warn!(%error, "what was pushed is not kept, and the next push may send the whole model: see --bases");
    }
    Ok(PushSummary::new(candidate, &pushed))
}

/// Has all servers go back to the version before.
pub(crate) async fn rollback(args: &RollbackArgs, stop: &CancellationToken) -> Result<Outcome<RollbackSummary>> {
    let options = args.reach.options()?;
    let servers = stop.run_until_cancelled(args.reach.find()).await.ok_or(Unanswered)??;
    let told = stop.run_until_cancelled(Box::pin(roll_back(&args.model, &servers, &options)));
    let summary = RollbackSummary::new(&args.model, &told.await.ok_or(Unanswered)??);
    let missing = summary.missing();
    Ok(Outcome::of(summary, missing.map_or(Ok(()), |words| Err(NotPushed(words)))))
}

/// The model that is to be pushed, checked as far as that can be done here. Blocks.
fn candidate(spec: &PushSpec) -> Result<Candidate> {
    let PushSpec { name, path, recipe, output, classes, input } = spec;
    let at = || format!("--model {name}={}", path.display());
    let file = file::read(path, MAX_MODEL_BYTES).with_context(at)?;
    let file = input.written_into(file).with_context(at)?;
    let limits = Limits { max_bytes: MAX_MODEL_BYTES, ..Limits::default() };
    let facts = headwater_onnx::check(&file, &limits).with_context(at)?;
    let manner = match is_head(&facts) && recipe.is_none() && output.is_none() && classes.is_none() {
        true => PushManner::Head,
        false => PushManner::Model {
            recipe: recipe.as_deref().map(recipe::find).transpose().with_context(at)?,
            output: output.clone(),
            classes: classes.as_deref().map(read_classes).transpose().with_context(at)?.unwrap_or_default(),
        },
    };
    Ok(Candidate { name: name.clone(), manner, file: Bytes::from(file) })
}

/// A head that was just trained, under this name. Blocks.
pub(crate) fn head(name: &ModelName, path: &Path) -> Result<Candidate> {
    let file = file::read(path, MAX_MODEL_BYTES)?;
    Ok(Candidate { name: name.clone(), manner: PushManner::Head, file: Bytes::from(file) })
}

/// Whether a model takes features, and says whose.
fn is_head(facts: &ModelFacts) -> bool {
    let says = facts.metadata.iter().any(|(key, _)| key == EXTRACTOR_KEY);
    says && matches!(&facts.inputs[..], [input] if input.dims.as_ref().is_some_and(|dims| dims.len() == 2))
}

/// Names of classes, one on each line.
fn read_classes(path: &Path) -> Result<Vec<String>> {
    let of = || format!("classes={}", path.display());
    let text = read_at_most(path, MAX_LABELLER_BYTES as u64).with_context(of)?;
    let text = String::from_utf8(text).with_context(of)?;
    class_lines(&text).map_err(|line| anyhow!("line {line} is empty")).with_context(of)
}
