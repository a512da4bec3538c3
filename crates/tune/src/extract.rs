//! `tuner extract`: the features and labels of a dataset, as a folder of Parquet parts.

use std::path::PathBuf;
use std::time::Instant;

use headwater_cli::{GrowingBar, Outcome, Progress};
use headwater_extraction::{Connected, ExtractError, Extracted, Extraction, ExtractionOptions};
use headwater_pilot::Headway;
use headwater_tables::features::{PartFolder, RetryFailed};
use tokio_util::sync::CancellationToken;

use crate::args::ExtractArgs;
use crate::report::ExtractSummary;

/// An extraction that ended early, with what it had.
#[derive(Debug, thiserror::Error)]
#[error("{kept} of {samples} samples are kept in {}: run the same command again to go on from there", out.display())]
pub(crate) struct Unfinished {
    kept: u64,
    samples: u64,
    out: PathBuf,
    #[source]
    why: ExtractError,
}

/// Runs an extraction to its end. After `stop`, ends within the time that writing the parts that have begun takes: two
/// for each server.
pub(crate) async fn extract(
    args: &ExtractArgs,
    progress: &Progress,
    stop: &CancellationToken,
) -> anyhow::Result<Outcome<ExtractSummary>> {
    let begin = Instant::now();
    let folder = PartFolder::open(&args.out)?;
    let connecting = stop.run_until_cancelled(Connected::new(args.served_model()?));
    let connected = connecting.await.ok_or(ExtractError::Stopped)??;
    let provenance = connected.provenance().clone();

    let retry = if args.retry_failed { RetryFailed::All } else { RetryFailed::Passing };
    let options = ExtractionOptions { overwrite: args.overwrite, part_rows: args.part_rows, retry };
    let extraction = Extraction::survey(folder, provenance.clone(), options, stop).await?;
    let indices = extraction.missing();
    let (fetched, resumed) = (indices.len(), provenance.samples - indices.len());
    if resumed > 0 {
        tracing::info!(resumed, missing = fetched, out = %args.out.display(), "going on with an earlier extraction");
    }

    let servers = {
        let bar = GrowingBar::new(progress, "profile");
        let on_progress = |headway: Headway| bar.update(headway.done, headway.total);
        let steering = Box::pin(connected.steer(&indices, &on_progress));
        stop.run_until_cancelled(steering).await.ok_or(ExtractError::Stopped)??
    };
    let bar = progress.items("extract", Some(provenance.samples));
    bar.set(resumed);
    let extracting = Instant::now();
    let arrivals = servers.features(indices, false)?;
    let Extracted { contents, ended } = extraction.run(arrivals, &|| bar.add(1), stop).await?;
    let extract_seconds = extracting.elapsed().as_secs_f64();
    let seconds = begin.elapsed().as_secs_f64();
    let (received, travelled) = (servers.bytes_received(), servers.travelled());
    let summary = ExtractSummary::new(&provenance, &contents, args.out.clone(), fetched, received, travelled);
    let summary = summary.timed(seconds, extract_seconds);
    let few_enough = contents.failures.check(contents.samples, args.failures.max_failures);
    Ok(match ended {
        Ok(()) => Outcome::of(summary, few_enough),
        Err(why) => {
            let (kept, samples, out) = (contents.samples, provenance.samples, args.out.clone());
            Outcome::short(summary, Unfinished { kept, samples, out, why })
        }
    })
}
