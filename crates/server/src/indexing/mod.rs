//! `storage-server index`: re-writes every photo of a dataset once, ahead of serving it.
//!
//! ```text
//! catalog ─▶ find ─▶ room? ─▶ permit ─▶ read ─▶ header ─▶ permit ─▶ rewrite, verify ─▶ keep ─▶ tally
//!            (pool)                  (store)   (pool)              (── CPU pool ──)
//! ```
//!
//! First, dead entries of the index are dropped (see [`headwater_cache::Living`]). Photos that are there already are
//! only counted, so that a run goes on where another was stopped; a run may be stopped at any moment. A photo that
//! fails is a line in the report. Once the disk has refused a photo the others are only looked up, so that the report
//! is whole. Memory is bounded as in serving: by permits, taken before the bytes.

mod indexer;
mod outcome;
mod report;
mod stopped;
mod tally;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use futures::{StreamExt as _, stream};
use headwater_cache::KindName;
use headwater_cli::{Outcome as CommandOutcome, Progress, Signals};
use headwater_pipeline::{CacheKinds, DatasetCache, PhotoIndex, Resources};
use headwater_store::Location;
use headwater_types::{ByteCount, Digest, ImageLimits, SampleIndex};
use tokio_util::sync::CancellationToken;

use crate::args::{IndexArgs, open_cache};
use crate::keeper;
use indexer::Indexer;
use report::IndexReport;
use tally::Tally;

/// Photos on their way for each photo that is re-written at a time: one in work, one that is being read, one that is
/// looked up.
const PHOTOS_PER_JOB: usize = 3;
/// Steps of the bar while the index is counted.
const SHARDS: u64 = 256;

/// Re-writes the photos that are not in the index yet, and prints the report. The first signal stops it once the photos
/// that are in work are done: what was kept is whole, and the next run goes on from there.
///
/// # Errors
/// What keeps the run from beginning, and a run that could do nothing at all; once the report is printed, a disk that
/// takes no more, too many photos that failed, and the signal, if one came.
pub(crate) async fn index(args: &IndexArgs, json: bool, progress: &Progress) -> Result<()> {
    let mut signals = Signals::install()?;
    let stop = CancellationToken::new();
    CommandOutcome::from(signals.guard(&stop, Box::pin(rewrite_all(args, progress, &stop))).await).print(json)
}

async fn rewrite_all(
    args: &IndexArgs,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<CommandOutcome<IndexReport>> {
    let indexer = stop.run_until_cancelled(Box::pin(open_all(args))).await;
    let (indexer, jobs) = indexer.transpose()?.context("stopped before a photo was re-written")?;
    sweep(&indexer, progress, stop).await?;
    let started = Instant::now();
    let tally = tally_all(&indexer, jobs, progress, stop).await?;
    let setting = args.cache.setting(&args.state);
    conclude(tally.report(started.elapsed(), (setting, &indexer.index)), indexer.catalog.len() as u64, args)
}

/// Re-writes photo after photo, until all are done or the run is stopped.
async fn tally_all(
    indexer: &Arc<Indexer>,
    jobs: NonZeroUsize,
    progress: &Progress,
    stop: &CancellationToken,
) -> Result<Tally> {
    let photos = indexer.catalog.len() as u64;
    let bar = progress.items("photos", Some(photos));
    let mut tally = Tally::default();
    let mut outcomes = stream::iter((0..photos).map(SampleIndex))
        .take_until(Box::pin(stop.clone().cancelled_owned()))
        .map(|at| tokio::spawn(Arc::clone(indexer).photo(at)))
        .buffer_unordered(jobs.get() * PHOTOS_PER_JOB);
    while let Some(outcome) = outcomes.next().await {
        let (size, outcome) = outcome.context("a photo's task ended badly")?;
        tally.add(size, outcome);
        bar.add(1);
    }
    Ok(tally)
}

/// What the command says of a run over so many photos.
fn conclude(report: IndexReport, photos: u64, args: &IndexArgs) -> Result<CommandOutcome<IndexReport>> {
    let few_enough = report.failures().check(report.photos(), args.failures.max_failures);
    let done = report.photos();
    if done < photos {
        let kept = "what was re-written is kept: run the same command again to go on";
        return Ok(CommandOutcome::short(report, anyhow!("{done} of {photos} photos are done, and {kept}")));
    }
    if let Some(why) = report.nothing_done() {
        bail!("none of {photos} photos could be re-written: {why}");
    }
    let stopped = report.stopped().map(|stopped| anyhow!("{stopped}"));
    Ok(match stopped {
        Some(stopped) => CommandOutcome::short(report, stopped),
        None => CommandOutcome::of(report, few_enough),
    })
}

/// Drops dead entries, so that their room can be used, and counts the entries that are there.
async fn sweep(indexer: &Arc<Indexer>, progress: &Progress, stop: &CancellationToken) -> Result<()> {
    let (indexer, stop, bar) = (Arc::clone(indexer), stop.clone(), progress.items("index", Some(SHARDS)));
    let sweep = move || {
        let shown = AtomicU64::new(0);
        keeper::sweep_now(indexer.index.cache(), &[Arc::clone(&indexer.catalog)], |share| {
            let done = (share * SHARDS as f64) as u64;
            bar.add(done.saturating_sub(shown.swap(done, Ordering::Relaxed)));
            !stop.is_cancelled()
        });
    };
    tokio::task::spawn_blocking(sweep).await.context("counting the cache")
}

/// The dataset with its index, and how many photos are re-written at a time.
async fn open_all(args: &IndexArgs) -> Result<(Arc<Indexer>, NonZeroUsize)> {
    let limits = args.limits.of_image();
    let memory = args.limits.memory()?;
    args.limits.say();
    let source = args.dataset.source();
    let options = args.dataset.source.store_options(&source, limits.max_object, &args.dataset.source.page_memory());
    let store = headwater_store::open(&source.location, &options).await.context("--data")?;
    let index = open_index(args, &source.location, store.place(), limits).await?;
    let catalog = Arc::new(store.list(None).await.context("--data")?);
    let jobs = args.jobs.unwrap_or_else(headwater_image::cores);
    let job = Resources::new(memory, jobs.get()).context("starting CPU workers")?.background();
    Ok((Arc::new(Indexer::new(store, catalog, index, limits, job)), jobs))
}

/// The index of the dataset at this place: in the part of the cache on disk, which is what outlives the run.
async fn open_index(
    args: &IndexArgs,
    location: &Location,
    place: Digest,
    limits: ImageLimits,
) -> Result<Arc<PhotoIndex>> {
    args.cache.say_new_names();
    let (folder, state) = (args.cache.that_evicts_nothing(), args.state.clone());
    let followed = args.dataset.source.follow_links().iter().map(|folder| Location::folder(folder.clone()));
    let places: Vec<_> = std::iter::once(location.clone()).chain(followed).collect();
    let kinds = CacheKinds::Listed(std::iter::once(KindName::Indexed).collect());
    let open = move || open_cache((&folder, &state), &places, ByteCount::new(0), kinds);
    let cache = tokio::task::spawn_blocking(open).await.context("opening the cache")??;
    let cache = DatasetCache::new(&cache, place, location.is_local(), limits);
    PhotoIndex::new(&cache).map(Arc::new).context("the photo index is switched off")
}
