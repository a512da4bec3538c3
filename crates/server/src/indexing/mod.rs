//! `storage-server index`: every photo of a dataset re-written once, ahead of serving it.
//!
//! ```text
//! catalog ─▶ find ─▶ room? ─▶ permit ─▶ read ─▶ header ─▶ permit ─▶ rewrite, verify ─▶ keep ─▶ tally
//!            (pool)                  (store)   (pool)              (── CPU pool ──)
//! ```
//!
//! First, what is dead in the index is dropped (see [`headwater_cache::Living`]). What is there already is only counted, so that a run goes on where another was stopped; it may be stopped at any moment. A photo that
//! fails is a line in the report. Once the disk has refused a photo the others are only looked up, so that the report is whole. Memory is bounded as in serving: by permits, taken before the bytes.

mod report;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use futures::{StreamExt as _, stream};
use headwater_cache::NotKept;
use headwater_cli::{Outcome as CommandOutcome, Progress, Signals};
use headwater_image::{CpuPool, IndexedJpeg, PoolError, Scratch, read_header};
use headwater_pipeline::{Account, Kept, Lookup, MemoryBudget, PhotoIndex};
use headwater_store::{Catalog, Store};
use headwater_types::recipe::Orientation;
use headwater_types::{ByteCount, FailureKind, ImageLimits, SampleFailure, SampleIndex, WriteFault};
use tokio_util::sync::CancellationToken;

use crate::args::IndexArgs;
use crate::{keeper, open};
use report::{IndexReport, Outcome, Tally};

/// Photos on their way for each job: one in work, one that is being read, one that is looked up.
const PHOTOS_PER_JOB: usize = 3;
/// Steps of the bar while the index is counted.
const SHARDS: u64 = 256;

/// Re-writes the photos that are not in the index yet, and prints the report. The first signal stops it once the photos that are in
/// work are done: what was kept is whole, and the next run goes on from there.
///
/// # Errors
/// What keeps it from beginning, and where nothing at all could be done; once the report is printed, a disk that takes no more, too
/// many photos that failed, and the signal, if one came.
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
    let photos = indexer.catalog.len() as u64;
    let started = Instant::now();
    let bar = progress.items("photos", Some(photos));
    let mut tally = Tally::default();
    let mut outcomes = stream::iter((0..photos).map(SampleIndex))
        .take_until(Box::pin(stop.clone().cancelled_owned()))
        .map(|at| tokio::spawn(Arc::clone(&indexer).photo(at)))
        .buffer_unordered(jobs.get() * PHOTOS_PER_JOB);
    while let Some(outcome) = outcomes.next().await {
        let (size, outcome) = outcome.context("a photo's task ended badly")?;
        tally.add(size, outcome);
        bar.add(1);
    }
    drop(bar);
    let report = tally.report(started.elapsed(), &indexer.index);
    let told = report.failures().tell(report.photos(), args.failures.max_failures);
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
        None => CommandOutcome::of(report, told),
    })
}

/// Drops what is dead, so that its room can be used, and counts what is there.
async fn sweep(indexer: &Arc<Indexer>, progress: &Progress, stop: &CancellationToken) -> Result<()> {
    let (indexer, stop, bar) = (Arc::clone(indexer), stop.clone(), progress.items("index", Some(SHARDS)));
    let sweep = move || {
        let told = AtomicU64::new(0);
        keeper::sweep_now(&indexer.index, &indexer.catalog, |share| {
            let done = (share * SHARDS as f64) as u64;
            bar.add(done.saturating_sub(told.swap(done, Ordering::Relaxed)));
            !stop.is_cancelled()
        });
    };
    tokio::task::spawn_blocking(sweep).await.context("counting the photo index")
}

/// The dataset, the index, and what works on them.
async fn open_all(args: &IndexArgs) -> Result<(Arc<Indexer>, NonZeroUsize)> {
    let limits = args.limits.of_image();
    let budgets = args.limits.budgets()?;
    let store = headwater_store::open(&args.dataset.data, &args.dataset.store_options(limits.max_object)).await?;
    let index = open::photo_index(&args.index, &args.dataset, store.place(), limits).await?;
    let catalog = store.list().await?;
    let jobs = args.jobs.unwrap_or_else(headwater_image::cores);
    let pool = CpuPool::new(jobs, jobs.get()).context("starting CPU workers")?;
    let (encoded, decoded) = (budgets.encoded, budgets.decoded);
    let refused = OnceLock::new();
    Ok((
        Arc::new(Indexer { store, catalog, index, pool, limits, encoded, decoded, account: Account::alone(), refused }),
        jobs,
    ))
}

/// What all photos share.
struct Indexer {
    store: Arc<dyn Store>,
    catalog: Catalog,
    index: Arc<PhotoIndex>,
    pool: CpuPool,
    limits: ImageLimits,
    encoded: MemoryBudget,
    decoded: MemoryBudget,
    account: Account,
    /// The first that the disk said: what is re-written after it would be thrown away.
    refused: OnceLock<WriteFault>,
}

// === impl Indexer ===

impl Indexer {
    /// A photo's stored size, and what came of it.
    async fn photo(self: Arc<Self>, at: SampleIndex) -> (ByteCount, Outcome) {
        let size = self.catalog.get(at).map(|entry| entry.version.size()).unwrap_or_default();
        let failed = |failure| Outcome::Failed { at, key: self.catalog.key(at), failure };
        (size, self.run(at).await.unwrap_or_else(failed))
    }

    async fn run(&self, at: SampleIndex) -> Result<Outcome, SampleFailure> {
        let (Some(key), Some(extent)) = (self.catalog.key(at), self.catalog.extent(at)) else {
            return Err(SampleFailure::new(FailureKind::OutOfRange, format!("no sample {at}")));
        };
        let (version, before) = (extent.version(), extent.length());
        let find = {
            let (index, key) = (Arc::clone(&self.index), key.clone());
            move || index.find(&key, version)
        };
        match self.on_pool(find).await? {
            Lookup::Found(photo) => {
                return Ok(Outcome::AlreadyThere { before, after: ByteCount::from(photo.bytes().len()) });
            }
            Lookup::Unindexable(reason) => return Ok(Outcome::FellBack(reason)),
            Lookup::Absent => {}
            Lookup::Unreadable => return Ok(Outcome::NotKept(NotKept::Disk(WriteFault::Other))),
        }
        if let Some(fault) = self.refused.get() {
            return Ok(Outcome::NotKept(NotKept::Disk(*fault)));
        }
        if let Err(why) = self.index.room(before) {
            return Ok(self.not_kept(why));
        }
        let limit = self.limits.max_object;
        if before > limit {
            let message = format!("{key} has {before}, more than {limit}: see --max-object-bytes");
            return Err(SampleFailure::new(FailureKind::LimitExceeded, message));
        }
        let _encoded = self.encoded.acquire(&self.account, before).await?;
        let bytes = self.store.read(&extent).await?;
        let limits = self.limits;
        let header = {
            let bytes = bytes.clone();
            move || read_header(&bytes, Orientation::Exif, &limits)
        };
        // A photo without a readable header, or past the limits, takes no memory: re-writing it only names the reason.
        let memory = match self.on_pool(header).await? {
            Ok(header) => IndexedJpeg::rewrite_memory(&header, before),
            Err(_) => ByteCount::default(),
        };
        let _decoded = self.decoded.acquire(&self.account, memory.min(limits.max_sample_memory)).await?;
        let rewrite = {
            let index = Arc::clone(&self.index);
            move || {
                let made = IndexedJpeg::rewrite(&bytes, &limits);
                let kept = index.keep(&key, version, made.as_ref().map_err(|reason| *reason));
                (made, kept)
            }
        };
        Ok(match self.on_pool(rewrite).await? {
            (Err(reason), _) => Outcome::FellBack(reason),
            (Ok(photo), Kept::Done) => Outcome::Rewritten { before, after: ByteCount::from(photo.bytes().len()) },
            (Ok(_), Kept::Not(why)) => self.not_kept(why),
        })
    }

    fn not_kept(&self, why: NotKept) -> Outcome {
        if let NotKept::Disk(fault) = why {
            self.refused.get_or_init(|| fault);
        }
        Outcome::NotKept(why)
    }

    async fn on_pool<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, SampleFailure> {
        let failed = |error: PoolError| SampleFailure::new(FailureKind::Internal, error.to_string());
        self.pool.run(|_: &mut Scratch| job()).await.map_err(failed)
    }
}
