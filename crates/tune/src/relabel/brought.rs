//! A labelling whose features are made here, in part or as a whole, and brought to the servers that keep the labels.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::StreamExt;
use futures::future::try_join_all;
use headwater_cli::{GrowingBar, MaxFailures, Outcome, Progress};
use headwater_client::label_calls::{FeaturesOf, Relabel};
use headwater_client::model_calls::ModelRole;
use headwater_client::{ClientOptions, Indices, ServerAddress, models, open_labelling};
use headwater_extraction::{Arrivals, Connected, ServedModel, Servers};
use headwater_pilot::Headway;
use headwater_types::{ModelName, SampleIndex};
use tokio::time::{sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::ending::{Cut, Stopped, Unbegun};
use super::share::Share;
use crate::report::{RelabelSummary, TravelSummary};

/// The time in which what has come is still brought after a signal or an error.
const FLUSH: Duration = Duration::from_millis(1500);

/// The model whose features a labeller scores: itself, or the extractor of a head. The servers are held to one another
/// where the labelling is opened.
pub(super) async fn extractor_of(
    servers: &[ServerAddress],
    labeller: &ModelName,
    options: &ClientOptions,
) -> Result<ModelName> {
    for of in models(servers, options).await? {
        let found = of.models?.into_iter().find(|model| model.name == *labeller);
        if let Some(ModelRole::Head { extractor, .. }) = found.map(|model| model.role) {
            return Ok(extractor);
        }
    }
    Ok(labeller.clone())
}

/// Labels what the servers lack, and waits for the last.
pub(crate) async fn bring(
    served: ServedModel,
    request: &Relabel,
    max_failures: MaxFailures,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<Outcome<RelabelSummary>> {
    let begin = Instant::now();
    let options = served.client.clone();
    let connected = stop.run_until_cancelled(Box::pin(Connected::new(served))).await.ok_or(Unbegun)??;
    let mut shares = {
        let opening = Box::pin(open(&connected, request, &options));
        stop.run_until_cancelled(opening).await.ok_or(Unbegun)??
    };
    let lacking: Vec<SampleIndex> = shares.iter_mut().flat_map(Share::take_lacking).collect();
    let servers = {
        let bar = GrowingBar::new(progress, "profile");
        let on_progress = |headway: Headway| bar.update(headway.done, headway.total);
        let wanted = Indices::from(lacking.clone());
        let steering = Box::pin(connected.steer(&wanted, &on_progress));
        stop.run_until_cancelled(steering).await.ok_or(Unbegun)??
    };
    let ended = run(&servers, lacking, &mut shares, (progress, stop)).await;
    let summary = summary(&servers, shares, ended.as_ref().err(), begin);
    Ok(match ended {
        Ok(()) => {
            let few_enough = summary.failures().check(summary.samples(), max_failures);
            Outcome::of(summary, few_enough)
        }
        Err(why) => {
            let (done, samples) = (summary.done(), summary.samples());
            Outcome::short(summary, Cut { done, samples, why })
        }
    })
}

/// Opens the labelling on all servers.
async fn open(connected: &Connected, request: &Relabel, options: &ClientOptions) -> Result<Vec<Share>> {
    let provenance = connected.provenance();
    let features = FeaturesOf { model: provenance.model_digest, output: provenance.output.clone() };
    let (features, feature_len) = (&features, provenance.feature_len);
    let opening = (0..).zip(connected.partitions()).map(|(task, partition)| async move {
        let lacking = open_labelling(&partition.address, (request, features), options, task).await?;
        Share::new(partition, (request, lacking), feature_len, (options.clone(), task))
    });
    try_join_all(opening).await
}

/// Has what is lacking made, and brings it. Whatever ends it, what has come is brought.
async fn run(
    servers: &Servers,
    lacking: Vec<SampleIndex>,
    shares: &mut [Share],
    (progress, stop): (&Progress, &CancellationToken),
) -> Result<()> {
    if lacking.is_empty() {
        return Ok(());
    }
    let wanted = lacking.len() as u64;
    let arrivals = servers.features(lacking, false)?;
    let bar = progress.items("relabel", Some(shares.iter().map(Share::samples).sum()));
    bar.set(shares.iter().map(Share::skipped).sum());
    let came = || bar.add(1);
    let pumped = stop.run_until_cancelled(pump(arrivals, shares, &came)).await;
    let pumped = pumped.unwrap_or_else(|| Err(Stopped.into()));
    let flushed = {
        let flushing = flush(shares);
        match &pumped {
            Ok(()) => stop.run_until_cancelled(flushing).await.unwrap_or_else(|| Err(Stopped.into())),
            Err(_) => timeout(FLUSH, flushing).await.context("what had come was not labelled in time").flatten(),
        }
    };
    pumped.and(flushed)?;
    let done: u64 = shares.iter().map(Share::done).sum();
    anyhow::ensure!(done == wanted, "{done} of {wanted} samples came: please report it");
    Ok(())
}

/// Brings arrivals to their servers until they end.
async fn pump(mut arrivals: Arrivals, shares: &mut [Share], came: &(dyn Fn() + Sync)) -> Result<()> {
    loop {
        let due = shares.iter().filter_map(Share::due).min();
        tokio::select! {
            sample = arrivals.next() => {
                let Some(sample) = sample else { return Ok(()) };
                let sample = sample?;
                let share = shares.iter_mut().find(|share| share.has(sample.index));
                let share = share.with_context(|| format!("sample {} is no server's", sample.index))?;
                share.add(sample);
                came();
                if share.is_full() {
                    share.send().await?;
                }
            }
            () = sleep_until(due.unwrap_or_else(tokio::time::Instant::now)), if due.is_some() => {
                for share in shares.iter_mut().filter(|share| share.due() == due) {
                    share.send().await?;
                }
            }
        }
    }
}

/// Brings what has come, to all servers at once.
async fn flush(shares: &mut [Share]) -> Result<()> {
    try_join_all(shares.iter_mut().map(Share::finish)).await.map(drop)
}

fn summary(servers: &Servers, shares: Vec<Share>, why: Option<&anyhow::Error>, begin: Instant) -> RelabelSummary {
    let each = shares.into_iter().map(|share| share.told(why, begin.elapsed())).collect();
    let travelled = TravelSummary::new(servers.bytes_received(), servers.travelled());
    RelabelSummary::new(each, begin.elapsed().as_secs_f64()).with_travel(travelled)
}
