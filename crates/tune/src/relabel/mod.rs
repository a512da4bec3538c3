//! `tuner relabel`: labellings on servers, begun, followed, and told what to do; and those whose features are brought
//! from here.

mod brought;
mod ending;
mod share;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::bail;
use futures::future::join_all;
use headwater_cli::{GrowingBar, MaxFailures, Outcome, Progress};
use headwater_client::label_calls::{Labelling, LabellingState, Relabel};
use headwater_client::{ClientError, ClientOptions, Dataset, ServerAddress, Servers, control_labelling, labellings};
use tokio_util::sync::CancellationToken;

use crate::args::{RelabelArgs, RelabelTask};
use crate::labels::Unanswered;
use crate::report::{RelabelSummary, ServerLabelling};

use brought::extractor_of;
use ending::{Left, NotDone, Unbegun};

pub(crate) use brought::bring;

/// Does what the arguments say. After `stop` the labelling goes on at the servers.
pub(crate) async fn relabel(
    args: &RelabelArgs,
    progress: &Progress,
    stop: &CancellationToken,
) -> anyhow::Result<Outcome<RelabelSummary>> {
    let (named, options) = (args.parts.servers(), args.parts.options()?);
    let servers = &stop.run_until_cancelled(named.find()).await.ok_or(Unanswered)??;
    match args.task() {
        RelabelTask::List => {
            let listed =
                stop.run_until_cancelled(Box::pin(labellings(servers, &options))).await.ok_or(Unanswered)??;
            let each = listed.into_iter().flat_map(|of| match of.labellings {
                Ok(labellings) => labellings.into_iter().map(|each| ServerLabelling::of(&of.server, each)).collect(),
                Err(error) => vec![ServerLabelling::silent(&of.server, &error)],
            });
            let summary = RelabelSummary::new(each.collect(), 0.0);
            let silent = summary.silent();
            Ok(Outcome::of(summary, silent.map_or(Ok(()), |words| Err(NotDone(words)))))
        }
        RelabelTask::Control(control) => {
            let telling = stop.run_until_cancelled(Box::pin(control_labelling(servers, &control, &options)));
            let told = telling.await.ok_or(Unanswered)??;
            let each = told.into_iter().map(|(server, labelling)| ServerLabelling::of(&server, labelling));
            Ok(Outcome::done(RelabelSummary::new(each.collect(), 0.0)))
        }
        RelabelTask::Label(request) if args.plan.makes_features() => {
            let extractor = stop.run_until_cancelled(Box::pin(extractor_of(servers, &request.model, &options)));
            let extractor = extractor.await.ok_or(Unbegun)??;
            let served = args.served_model(request.dataset.clone(), extractor)?;
            bring(served, &request, args.failures.max_failures, progress, stop).await
        }
        RelabelTask::Label(request) => {
            let (servers, max_failures) = (&named, args.failures.max_failures);
            label(Labellers { servers, options, is_detached: args.detach, max_failures }, &request, progress, stop)
                .await
        }
    }
}

/// How far each server is, as far as is known.
type Known = Mutex<BTreeMap<usize, Labelling>>;

/// Servers that are to label, and how long that is followed.
pub(crate) struct Labellers<'l> {
    pub(crate) servers: &'l Servers,
    pub(crate) options: ClientOptions,
    /// Whether nobody waits for the end.
    pub(crate) is_detached: bool,
    pub(crate) max_failures: MaxFailures,
}

/// Has all servers label, and waits for the last.
pub(crate) async fn label(
    labellers: Labellers<'_>,
    request: &Relabel,
    progress: &Progress,
    stop: &CancellationToken,
) -> anyhow::Result<Outcome<RelabelSummary>> {
    let (begin, bar, known) = (Instant::now(), GrowingBar::new(progress, "relabel"), Known::default());
    // Of servers that have the same photos one labels them.
    let connecting = Dataset::connect(labellers.servers, &request.dataset, labellers.options.clone());
    let servers = stop.run_until_cancelled(Box::pin(connecting)).await.ok_or(Unbegun)??.leaders();
    let follow = join_all(servers.iter().enumerate().map(|(at, server)| {
        let (bar, known, labellers) = (&bar, &known, &labellers);
        async move { (server, of_server(labellers, request, (at, server), (bar, known)).await) }
    }));
    let ended = stop.run_until_cancelled(follow).await;
    let known = known.into_inner().unwrap_or_else(PoisonError::into_inner);
    let seconds = begin.elapsed().as_secs_f64();
    let Some(ended) = ended else {
        let each = known.iter().map(|(at, told)| ServerLabelling::of(&servers[*at], told.clone()));
        let summary = RelabelSummary::new(each.collect(), seconds);
        let (done, samples) = (summary.done(), summary.samples());
        return Ok(Outcome::short(summary, Left { done, samples }));
    };
    let each: Vec<_> = ended
        .iter()
        .map(|(server, ended)| match ended {
            Ok(labelling) => ServerLabelling::of(server, labelling.clone()),
            Err(error) => ServerLabelling::silent(server, error),
        })
        .collect();
    if let [(_, Err(error))] = &ended[..] {
        bail!("{error}");
    }
    let summary = RelabelSummary::new(each, seconds);
    let faults: Vec<_> = ended.iter().filter_map(|(server, ended)| fault(server, ended.as_ref())).collect();
    if !faults.is_empty() {
        return Ok(Outcome::short(summary, NotDone(faults.join("; "))));
    }
    let few_enough = summary.failures().check(summary.samples(), labellers.max_failures);
    Ok(Outcome::of(summary, few_enough))
}

/// Follows one server to the end of its labelling, or to its beginning where nobody waits.
async fn of_server(
    labellers: &Labellers<'_>,
    request: &Relabel,
    (at, server): (usize, &ServerAddress),
    (bar, known): (&GrowingBar<'_>, &Known),
) -> Result<Labelling, ClientError> {
    let (begun, mut begins) = tokio::sync::watch::channel(false);
    let told = |labelling: &Labelling| {
        begun.send_replace(true);
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(at, labelling.clone());
        let done = known.values().map(|told| told.labelled + told.skipped + told.failed).sum();
        bar.update(done, known.values().map(|told| told.samples).sum());
    };
    let follow = headwater_client::relabel(server, request, &labellers.options, at as u64, &told);
    tokio::select! {
        ended = follow => ended,
        _ = begins.wait_for(|begun| *begun), if labellers.is_detached => {
            let known = known.lock().unwrap_or_else(PoisonError::into_inner);
            known.get(&at).cloned().ok_or_else(|| ClientError::Internal("a labelling is lost".to_owned()))
        }
    }
}

/// What kept a server from being done.
fn fault(server: &ServerAddress, ended: Result<&Labelling, &ClientError>) -> Option<String> {
    match ended {
        Err(error) => Some(error.to_string()),
        Ok(Labelling { state: LabellingState::Failed, reason, .. }) => Some(format!("server {server}: {reason}")),
        Ok(Labelling { state: LabellingState::Cancelled, .. }) => Some(format!("server {server}: it was cancelled")),
        Ok(_) => None,
    }
}
