//! The epoch itself: samples in, tensors out, batch by batch, at the pace of whoever takes them.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, TryStreamExt as _};
use headwater_client::{ClientError, Dataset, FetchRequest, Finisher, Sample};
use headwater_pilot::{Headway, Steering, cpu_of_process};
use headwater_types::{BitsPerSecond, Digest, Recipe, SampleIndex};
use tokio::time::{Instant, sleep};

use crate::error::EpochError;
use crate::measured::{FinishedSample, Measured};
use crate::options::EpochOptions;
use crate::pace::Pace;
use crate::stage::{EpochStage, StageListener};

/// Streams these samples, in batches, and measures what it takes.
pub(crate) async fn stream(
    options: &EpochOptions,
    dataset: &Dataset,
    samples: &[SampleIndex],
    steering: &Steering,
    listener: StageListener<'_>,
) -> Result<Measured, EpochError> {
    tokio::select! {
        measured = measure(options, dataset, samples, steering, listener) => measured,
        failed = steering.watch(dataset) => Ok(failed.map(|()| Measured::default())?),
        () = halve(dataset, options.halve_after) => Ok(Measured::default()),
    }
}

/// Halves the limit on bandwidth after a while. It never ends.
async fn halve(dataset: &Dataset, after: Option<Duration>) {
    let Some(after) = after else { return pending().await };
    sleep(after).await;
    let throttle = dataset.throttle();
    if let Some((throttle, rate)) = throttle.and_then(|throttle| Some((throttle, throttle.bandwidth()?)))
        && let Some(half) = BitsPerSecond::new(rate.get() / 2.0)
    {
        tracing::info!(bandwidth_bps = half.get(), "halved");
        throttle.set(half);
    }
    pending::<()>().await;
}

async fn measure(
    options: &EpochOptions,
    dataset: &Dataset,
    samples: &[SampleIndex],
    steering: &Steering,
    listener: StageListener<'_>,
) -> Result<Measured, EpochError> {
    let batch_size = options.batch_size.get();
    let (mut measured, mut pace) = (Measured::of(dataset), Pace::new(options.accelerator_rate));
    let finisher = Finisher::with(&options.client()).map_err(EpochError::Threads)?;
    let request = request(options, samples, steering);
    let (before, busy, begin) = (dataset.counters(), cpu_of_process(), Instant::now());
    let mut finished = finished(options, finisher, dataset, request)?;
    let mut batch = Vec::with_capacity(batch_size);
    while let Some(sample) = finished.try_next().await? {
        steering.came(sample.finished.index, sample.way, sample.there, sample.here);
        measured.count(dataset, &sample);
        listener(EpochStage::Streaming(Headway { done: measured.samples, total: samples.len() as u64 }));
        batch.push(sample.finished);
        if batch.len() == batch_size {
            hand_over(&mut batch, &mut measured, &mut pace).await;
        }
    }
    if !batch.is_empty() {
        hand_over(&mut batch, &mut measured, &mut pace).await;
    }
    pace.finish().await;
    measured.wall = begin.elapsed();
    measured.here = cpu_of_process().0 - busy.0;
    let after = dataset.counters();
    measured.received = after.bytes_received - before.bytes_received;
    measured.calls_replanned = after.replanned - before.replanned;
    measured.hedged = after.hedged - before.hedged;
    measured.hedges_won = after.hedges_won - before.hedges_won;
    Ok(measured)
}

/// Gives a batch to the consumer, which drops it when its step is done.
async fn hand_over<T>(batch: &mut Vec<T>, measured: &mut Measured, pace: &mut Pace) {
    measured.batches += 1;
    measured.blocked += pace.take(batch.len()).await;
    batch.clear();
}

/// What is asked of the dataset.
fn request(options: &EpochOptions, samples: &[SampleIndex], steering: &Steering) -> FetchRequest {
    FetchRequest {
        indices: samples.iter().copied().collect(),
        recipe: Some(options.recipe.clone()),
        ways: steering.ways(),
        // As the profile has them, and as SOPHON sends them.
        floats: true,
        addresses: options.address.into(),
        model: None,
        ordered: false,
        measure_cpu: true,
        fields: Vec::new(),
        caller: None,
    }
}

/// The samples as they come, finished on threads of their own.
fn finished(
    options: &EpochOptions,
    finisher: Finisher,
    dataset: &Dataset,
    request: FetchRequest,
) -> Result<impl Stream<Item = Result<FinishedSample, ClientError>> + Unpin + use<>, EpochError> {
    let at_once = 2 * finisher.workers();
    let finishing = Arc::new(Finishing { finisher, recipe: Arc::new(options.recipe.clone()), digest: options.digest });
    let finish = move |sample| Arc::clone(&finishing).finish(sample);
    Ok(Box::pin(dataset.fetch(request)?.map_ok(finish).try_buffer_unordered(at_once)))
}

/// What makes tensors of samples.
struct Finishing {
    finisher: Finisher,
    recipe: Arc<Recipe>,
    /// Whether each tensor's digest is taken.
    digest: bool,
}

// === impl Finishing ===

impl Finishing {
    async fn finish(self: Arc<Self>, sample: Sample) -> Result<FinishedSample, ClientError> {
        let delivered = sample.outcome.as_ref().ok();
        let way = delivered.map(|delivered| delivered.way);
        let bytes = delivered.map_or(0, |delivered| delivered.payload.len() as u64);
        let there = sample.cpu.unwrap_or_default();
        let (finished, here) = self.finisher.finish_metered(&self.recipe, sample).await;
        let digest = match &finished.outcome {
            Ok(done) if self.digest => Some(digest_of(finished.index, done.tensor.values()).await?),
            _ => None,
        };
        Ok(FinishedSample { finished, way, bytes, there, here, digest })
    }
}

/// BLAKE3 of a sample's index and tensor.
async fn digest_of(index: SampleIndex, values: &[f32]) -> Result<Digest, ClientError> {
    let mut bytes = index.0.to_le_bytes().to_vec();
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    let digest = tokio::task::spawn_blocking(move || Digest::of(&bytes)).await;
    digest.map_err(|error| ClientError::Internal(error.to_string()))
}
