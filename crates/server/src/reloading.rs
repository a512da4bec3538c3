//! `storage-server reload`: has a running server list its datasets anew, waits for that, and says what changed.

use std::fmt;

use anyhow::{Context as _, Result, anyhow};
use headwater_access::TlsFault;
use headwater_cli::{Outcome, Progress};
use headwater_types::Digest;
use headwater_wire::proto;
use headwater_wire::proto::reloads_client::ReloadsClient;
use headwater_wire::transport::{CONNECT_TIMEOUT, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT};
use serde::Serialize;
use tonic::transport::Endpoint;

use crate::args::ReloadArgs;
use crate::others::Others;

/// What came of a reload.
#[derive(Debug, Serialize)]
struct ReloadReport {
    datasets: Vec<Line>,
}

/// What came of one dataset.
#[derive(Debug, Serialize)]
struct Line {
    dataset: String,
    /// `unchanged`, `changed` or `failed`.
    outcome: &'static str,
    /// Why it failed; `null` where it did not.
    reason: Option<String>,
    /// What is served now; 0 and `null` where nothing is.
    generation: u64,
    digest: Option<Digest>,
    samples: u64,
    added: u64,
    removed: u64,
    replaced: u64,
}

/// Asks the server, and prints what came of it.
///
/// # Errors
/// A server that cannot be reached, or refuses; once the report is printed, datasets that could not be listed.
pub(crate) async fn reload(args: &ReloadArgs, json: bool, progress: &Progress) -> Result<()> {
    let report = ask(args, progress).await.with_context(|| format!("the server at {}", args.address))?;
    let failed = report.datasets.iter().filter(|line| line.reason.is_some()).count();
    let total = report.datasets.len();
    let outcome = match failed {
        0 => Outcome::done(report),
        _ => Outcome::short(report, anyhow!("{failed} of {total} datasets could not be listed anew")),
    };
    outcome.print(json)
}

async fn ask(args: &ReloadArgs, progress: &Progress) -> Result<ReloadReport> {
    let endpoint = Endpoint::from_shared(format!("http://{}", args.address))?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT);
    let others = Others::new(args.access.open()?);
    let channel = others.connect(&endpoint, args.address.host()).await;
    let mut client = ReloadsClient::new(
        channel.map_err(|error| TlsFault::behind(&error).map_or(error.into(), anyhow::Error::from))?,
    );
    let refused = |status: tonic::Status| anyhow!("{}", status.message());
    let mut messages = client.reload(proto::ReloadRequest {}).await.map_err(refused)?.into_inner();
    let (bar, mut datasets) = (progress.items("datasets", None), None);
    while let Some(proto::ReloadProgress { doing, datasets: came }) = messages.message().await.map_err(refused)? {
        if !doing.is_empty() {
            bar.note(doing);
        }
        if !came.is_empty() {
            datasets = Some(came.into_iter().map(Line::from).collect());
        }
    }
    let datasets = datasets.context("it hung up before it had listed its datasets: see its log")?;
    Ok(ReloadReport { datasets })
}

// === impl Line ===

impl From<proto::ReloadedDataset> for Line {
    fn from(came: proto::ReloadedDataset) -> Self {
        let outcome = match came.outcome() {
            proto::ReloadOutcome::Unspecified | proto::ReloadOutcome::Failed => "failed",
            proto::ReloadOutcome::Unchanged => "unchanged",
            proto::ReloadOutcome::Changed => "changed",
        };
        Self {
            dataset: came.dataset,
            outcome,
            reason: (outcome == "failed").then_some(came.reason),
            generation: came.generation,
            digest: Digest::try_from(&came.digest[..]).ok(),
            samples: came.samples,
            added: came.added,
            removed: came.removed,
            replaced: came.replaced,
        }
    }
}

// === impl ReloadReport ===

impl fmt::Display for ReloadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, line) in self.datasets.iter().enumerate() {
            f.write_str(if place > 0 { "\n" } else { "" })?;
            let Line { dataset, generation, samples, added, removed, replaced, .. } = line;
            match (&line.reason, line.outcome) {
                (Some(reason), _) if *generation == 0 => write!(f, "{dataset}: not ready: {reason}")?,
                (Some(reason), _) => {
                    write!(f, "{dataset}: not listed, generation {generation} is served on: {reason}")?;
                }
                (None, "unchanged") => {
                    write!(f, "{dataset}: unchanged, generation {generation}, {samples} samples")?;
                }
                (None, _) => write!(
                    f,
                    "{dataset}: generation {generation}, {samples} samples: {added} added, {removed} removed, \
                     {replaced} replaced"
                )?,
            }
        }
        Ok(())
    }
}
