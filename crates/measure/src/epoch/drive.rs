//! The epoch itself: samples in, tensors out, batch by batch, at the pace of whoever takes them.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::TryStreamExt as _;
use headwater_cli::{Failures, Progress};
use headwater_client::{ClientOptions, Dataset, FetchRequest, Finished, Finisher};
use headwater_pilot::{Steering, cpu_of_process};
use headwater_plan::SamplesPerSecond;
use headwater_types::{Address, BitsPerSecond, CpuSeconds, Digest, Recipe, SampleIndex, Way};
use tokio::time::{Instant, sleep, sleep_until};

/// What is streamed.
pub(crate) struct Course<'a> {
    pub(crate) dataset: &'a Dataset,
    pub(crate) recipe: Arc<Recipe>,
    pub(crate) samples: Vec<SampleIndex>,
    pub(crate) address: Address,
    pub(crate) batch_size: NonZeroUsize,
    pub(crate) accelerator_rate: Option<SamplesPerSecond>,
    pub(crate) digest: bool,
    pub(crate) halve_after: Option<Duration>,
    pub(crate) options: ClientOptions,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) samples: u64,
    pub(crate) failures: Failures,
    pub(crate) batches: u64,
    pub(crate) wall: Duration,
    pub(crate) payload: u64,
    pub(crate) received: u64,
    /// CPU seconds of this process, and the part of it that finished recipes.
    pub(crate) here: f64,
    pub(crate) finishing: f64,
    /// CPU seconds of each server's CPU workers.
    pub(crate) there: Vec<f64>,
    /// Time for which the consumer held everything up.
    pub(crate) blocked: Duration,
    /// Samples and payload bytes by the way in which they came.
    pub(crate) ways: BTreeMap<Way, (u64, u64)>,
    pub(crate) tensors: Option<[u8; 32]>,
    pub(crate) calls_replanned: u64,
}

/// One sample, finished.
struct Done {
    finished: Finished,
    way: Option<Way>,
    bytes: u64,
    there: CpuSeconds,
    here: CpuSeconds,
    digest: Option<Digest>,
}

/// A consumer that takes batches at a rate.
struct Pace {
    rate: Option<SamplesPerSecond>,
    /// When it has done with what it has taken.
    free: Instant,
}

/// Streams the epoch.
pub(crate) async fn drive(course: Course<'_>, steering: &Steering, progress: &Progress) -> anyhow::Result<Measured> {
    let dataset = course.dataset;
    let halve = async {
        let Some(after) = course.halve_after else { return std::future::pending::<()>().await };
        sleep(after).await;
        let throttle = dataset.throttle();
        if let Some((throttle, rate)) = throttle.and_then(|throttle| Some((throttle, throttle.bandwidth()?)))
            && let Some(half) = BitsPerSecond::new(rate.get() / 2.0)
        {
            tracing::info!(bandwidth_bps = half.get(), "halved");
            throttle.set(half);
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        measured = stream(&course, steering, progress) => measured,
        failed = steering.watch(dataset) => Ok(failed.map(|()| Measured::default())?),
        () = halve => Ok(Measured::default()),
    }
}

async fn stream(course: &Course<'_>, steering: &Steering, progress: &Progress) -> anyhow::Result<Measured> {
    let Course { dataset, recipe, address, .. } = course;
    let finisher = Finisher::with(&course.options).context("cannot start the threads that finish recipes")?;
    let request = FetchRequest {
        indices: course.samples.iter().copied().collect(),
        recipe: Some((**recipe).clone()),
        ways: steering.ways(),
        // As the profile has them, and as SOPHON sends them.
        floats: true,
        addresses: (*address).into(),
        model: None,
        ordered: false,
        measure_cpu: true,
    };
    let bar = progress.items("samples", Some(course.samples.len() as u64));
    let mut measured = Measured { there: vec![0.0; dataset.partitions().len()], ..Measured::default() };
    let mut tensors = [0_u8; 32];
    let mut pace = Pace { rate: course.accelerator_rate, free: Instant::now() };
    let mut batch = Vec::with_capacity(course.batch_size.get());
    let (before, busy, begin) = (dataset.counters(), cpu_of_process(), Instant::now());
    let mut finished = dataset
        .fetch(request)?
        .map_ok(async |sample| {
            let delivered = sample.outcome.as_ref().ok();
            let way = delivered.map(|delivered| delivered.way);
            let bytes = delivered.map_or(0, |delivered| delivered.payload.len() as u64);
            let there = sample.cpu.unwrap_or_default();
            let (finished, here) = finisher.finish_metered(recipe, sample).await;
            let digest = match &finished.outcome {
                Ok(done) if course.digest => Some(digest_of(finished.index, done.tensor.values()).await?),
                _ => None,
            };
            Ok(Done { finished, way, bytes, there, here, digest })
        })
        .try_buffer_unordered(2 * finisher.workers());
    loop {
        let next = finished.try_next().await.map_err(anyhow::Error::new)?;
        let over = next.is_none();
        if let Some(done) = next {
            bar.add(1);
            steering.came(done.finished.index, done.way, done.there, done.here);
            measured.count(dataset, &done);
            for (sum, byte) in tensors.iter_mut().zip(done.digest.iter().flat_map(|digest| digest.as_bytes())) {
                *sum ^= byte;
            }
            batch.push(done.finished);
        }
        if batch.len() == course.batch_size.get() || (over && !batch.is_empty()) {
            measured.batches += 1;
            measured.blocked += pace.take(batch.len()).await;
            // The step is done with the batch.
            batch.clear();
        }
        if over {
            break;
        }
    }
    pace.finish().await;
    measured.wall = begin.elapsed();
    measured.here = cpu_of_process().0 - busy.0;
    let after = dataset.counters();
    measured.received = after.bytes_received - before.bytes_received;
    measured.calls_replanned = after.replanned - before.replanned;
    measured.tensors = course.digest.then_some(tensors);
    Ok(measured)
}

/// BLAKE3 of a sample's index and tensor. Sums of them (bit by bit, without carry) are the same in any order.
async fn digest_of(index: SampleIndex, values: &[f32]) -> Result<Digest, headwater_client::ClientError> {
    let mut bytes = index.0.to_le_bytes().to_vec();
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    let digest = tokio::task::spawn_blocking(move || Digest::of(&bytes)).await;
    digest.map_err(|error| headwater_client::ClientError::Internal(error.to_string()))
}

// === impl Measured ===

impl Measured {
    fn count(&mut self, dataset: &Dataset, done: &Done) {
        self.samples += 1;
        if let Err(failure) = &done.finished.outcome {
            let key = done.finished.key.as_ref().map(|key| key.as_str());
            self.failures.add(failure.kind, done.finished.index, key);
        }
        self.payload += done.bytes;
        self.finishing += done.here.0;
        let server = dataset.partitions().partition_point(|partition| partition.end() <= done.finished.index.0);
        if let Some(there) = self.there.get_mut(server) {
            *there += done.there.0;
        }
        if let Some(way) = done.way {
            let (samples, bytes) = self.ways.entry(way).or_default();
            (*samples, *bytes) = (*samples + 1, *bytes + done.bytes);
        }
    }
}

// === impl Pace ===

impl Pace {
    /// Hands over a batch; waits until the one before is done with. Gives how long that took.
    async fn take(&mut self, samples: usize) -> Duration {
        let Some(rate) = self.rate else { return Duration::ZERO };
        let begin = Instant::now();
        sleep_until(self.free).await;
        let step = Duration::try_from_secs_f64(samples as f64 / rate.get()).unwrap_or(Duration::MAX / 4);
        self.free = self.free.max(begin) + step;
        begin.elapsed()
    }

    /// Waits for the last batch.
    async fn finish(&self) {
        if self.rate.is_some() {
            sleep_until(self.free).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_consumer_takes_batches_at_its_rate_and_is_not_made_to_wait_for_what_it_missed() {
        let begin = Instant::now();
        let mut pace = Pace { rate: SamplesPerSecond::new(100.0), free: begin };
        for _ in 0..5 {
            pace.take(50).await;
        }
        pace.finish().await;
        assert_eq!(begin.elapsed(), Duration::from_millis(2500));
        sleep(Duration::from_secs(60)).await;
        assert_eq!(pace.take(50).await, Duration::ZERO);
        let unpaced = &mut Pace { rate: None, free: begin };
        assert_eq!(unpaced.take(1_000_000).await, Duration::ZERO);
    }
}
