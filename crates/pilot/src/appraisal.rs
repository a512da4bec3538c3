//! Whether a job is worth a profile: what it takes the plain way, and what measuring may take of that.
//!
//! A plan makes most jobs shorter by a third at best, so that measuring may take a few percent of what the job takes without
//! one. How long that is, is seen from the first of its own samples; what a profile takes at least, from their bytes and how fast they came.
//! A job that is too short for its profile goes the plain way: features where servers have the model, and stored photos elsewhere.
//! Why not profile on the way, with the job's own samples at different ways: a profile needs few samples of each size and server
//! at each way, and a job has its samples in an order of its own; what it would spare is the few percent.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use headwater_client::{Dataset, FetchRequest, Partition, Ways};
use headwater_types::{Address, Cut, Form, PixelCoding, SampleIndex, Way};
use serde::Serialize;
use tokio::time::Instant;

use crate::error::PilotError;
use crate::finishing::Finishing;
use crate::headway::Meter;
use crate::profile::FIRST_SAMPLES;
use crate::target::Making;

/// What was found of a job before it began, and what was made of that.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Appraisal {
    /// Whether its samples follow a plan; else they come the plain way.
    pub planned: bool,
    /// Seconds that the job is estimated to take the plain way; `None` where nobody looked.
    pub job_seconds: Option<f64>,
    /// Seconds that a profile is estimated to take at least; `None` where nobody looked.
    pub least_seconds: Option<f64>,
    /// Seconds that measuring was allowed.
    pub budget_seconds: f64,
    /// Seconds from the first look to the plan.
    pub seconds: f64,
    /// Samples that were measured for a profile.
    pub measured: u64,
}

/// Part of a job's time that measuring may take, where nobody says.
pub const PROFILE_PART: f64 = 0.05;
/// Part of the job's samples of the first look, and their bounds.
const LOOK: usize = 32;
const LOOK_BOUNDS: [usize; 2] = [4, 64];
/// What a way takes to be asked for, beside its samples.
const ASK: f64 = 0.05;
/// What a sample takes at any way, against the plain one: a guess on the safe side.
const HEAVIER: f64 = 2.0;
/// The network, at each server.
pub(crate) const LEAST_NETWORK: Duration = Duration::from_millis(300);

/// What the first samples showed.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Look {
    /// Wall seconds that a sample takes the plain way, of all servers together.
    per_sample: f64,
    /// Bits a second while bytes were underway; infinite where that took no time.
    bandwidth: f64,
}

// === impl Appraisal ===

impl Appraisal {
    /// Looks at the first samples of a job, unless it may not take any time; `ways` are those that a profile would measure.
    pub(crate) async fn of(
        dataset: &Dataset,
        making: Making<'_>,
        ways: &[Way],
        address: Address,
        samples: &[SampleIndex],
        budget: Option<Duration>,
        meter: &Meter<'_>,
    ) -> Result<Self, PilotError> {
        let begin = Instant::now();
        if samples.is_empty() || budget.is_some_and(|budget| budget.is_zero()) {
            return Ok(Self::default());
        }
        let few = evenly(samples);
        meter.expect(few.len() as u64);
        let look = Look::at(dataset, making, address, &few, meter).await?;
        let job = look.per_sample * samples.len() as f64;
        let budget = budget.map_or(PROFILE_PART * job, |budget| budget.as_secs_f64());
        let least = look.least(dataset, making, ways);
        Ok(Self {
            planned: budget >= least,
            job_seconds: Some(job),
            least_seconds: Some(least),
            budget_seconds: budget,
            seconds: begin.elapsed().as_secs_f64(),
            measured: 0,
        })
    }

    /// What measuring may take.
    pub(crate) fn budget(&self) -> Duration {
        Duration::try_from_secs_f64(self.budget_seconds).unwrap_or_default()
    }

    /// Why the job goes the plain way, in words; `None` where it does not.
    pub fn reason(&self) -> Option<String> {
        if self.planned {
            return None;
        }
        let (Some(job), Some(least)) = (self.job_seconds, self.least_seconds) else {
            return Some("not planned: no time was given to measure".to_owned());
        };
        let budget = self.budget_seconds;
        Some(format!(
            "not planned: measuring takes at least {least:.1} s, and may take {budget:.2} s of a job of about {job:.1} s"
        ))
    }

    /// Says in the log what was found.
    pub(crate) fn trace(&self) {
        let Self { planned, job_seconds, least_seconds, budget_seconds, seconds, measured } = self;
        if *planned {
            tracing::info!(measured, seconds, budget_seconds, job_seconds, "profiled a little");
        } else {
            tracing::info!(
                job_seconds,
                least_seconds,
                budget_seconds,
                "too short for a profile: samples come the plain way; --profile-seconds gives it more time"
            );
        }
    }
}

// === impl Look ===

impl Look {
    async fn at(
        dataset: &Dataset,
        making: Making<'_>,
        address: Address,
        samples: &[SampleIndex],
        meter: &Meter<'_>,
    ) -> Result<Self, PilotError> {
        let finishing = Finishing::new(making, dataset)?;
        let recipe = Arc::new(making.target().recipe().clone());
        let request = FetchRequest {
            indices: samples.iter().copied().collect(),
            recipe: Some((*recipe).clone()),
            ways: plain(dataset, making),
            floats: false,
            addresses: address.into(),
            model: making.target().model().map(|model| model.name.clone()),
            ordered: false,
            measure_cpu: false,
        };
        let (before, begin) = (dataset.counters(), Instant::now());
        let mut finished = dataset
            .fetch(request)?
            .map_ok(async |sample| Ok(finishing.finish(&recipe, sample).await))
            .try_buffer_unordered(finishing.at_once());
        let mut came = Vec::with_capacity(samples.len());
        while finished.try_next().await?.is_some() {
            came.push(begin.elapsed().as_secs_f64());
            meter.done(1);
        }
        let after = dataset.counters();
        let (bytes, arriving) = (after.bytes_received - before.bytes_received, after.arriving - before.arriving);
        Ok(Self { per_sample: per_sample(&came), bandwidth: 8.0 * bytes as f64 / arriving.as_secs_f64() })
    }

    /// Seconds that a profile of these ways takes at least.
    fn least(&self, dataset: &Dataset, making: Making<'_>, ways: &[Way]) -> f64 {
        let count = FIRST_SAMPLES.min(usize::try_from(dataset.len()).unwrap_or(usize::MAX)) as f64;
        let of_way = |way: &Way| {
            let bytes = bytes_of(dataset, making, *way);
            let sample = (HEAVIER * self.per_sample).max(8.0 * bytes / self.bandwidth);
            // The first crop of a photo re-writes it.
            let passes = if way.cut() == Cut::JpegCrop { 2.0 } else { 1.0 };
            ASK + passes * count * sample
        };
        let network = LEAST_NETWORK.as_secs_f64() * dataset.partitions().len() as f64;
        ways.iter().map(of_way).sum::<f64>() + network
    }
}

/// How samples travel without a plan: as features from servers that make them, otherwise as they are stored.
pub(crate) fn plain(dataset: &Dataset, making: Making<'_>) -> Ways {
    let Making::Features { .. } = making else { return Way::ENCODED.into() };
    let ways = dataset.partitions().iter().enumerate().flat_map(|(place, partition): (usize, &Partition)| {
        let features = making.infers(place) && partition.cpu_workers > 0;
        let way = if features { Way::FEATURES } else { Way::ENCODED };
        std::iter::repeat_n(way, usize::try_from(partition.samples).unwrap_or(usize::MAX))
    });
    let ways: Arc<[Way]> = ways.collect();
    match ways.first() {
        Some(&first) if ways.iter().any(|&way| way != first) => Ways::PerSample(ways),
        first => first.copied().unwrap_or(Way::ENCODED).into(),
    }
}

/// A few of the samples, evenly through all servers.
fn evenly(samples: &[SampleIndex]) -> Vec<SampleIndex> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let [least, most] = LOOK_BOUNDS;
    let count = (sorted.len() / LOOK).clamp(least, most).min(sorted.len());
    (0..count).map(|number| sorted[(2 * number + 1) * sorted.len() / (2 * count)]).collect()
}

/// Seconds between samples, from when each came. What passes before the first is connecting, and waiting for a batch to fill: a job does
/// that once.
fn per_sample(came: &[f64]) -> f64 {
    let (Some(first), Some(last)) = (came.first(), came.last()) else { return 0.0 };
    // What came in one piece with the first was made before it.
    let with_first = came.iter().filter(|&&at| at - first < TOGETHER).count();
    let after = came.len() - with_first;
    if after * 2 >= came.len() { (last - first) / after as f64 } else { last / came.len() as f64 }
}

/// Samples of one message come within so many seconds.
const TOGETHER: f64 = 0.002;

/// About the bytes of a sample at a way, and no fewer.
fn bytes_of(dataset: &Dataset, making: Making<'_>, way: Way) -> f64 {
    let stored: u64 = dataset.partitions().iter().map(|partition| partition.stored_bytes).sum();
    let stored = stored as f64 / dataset.len().max(1) as f64;
    let pixels = making.target().recipe().output_size().pixels() as f64;
    match way.cut().form() {
        Form::Features => making.target().model().map_or(0.0, |model| 4.0 * f64::from(model.feature_len)),
        Form::Pixels if way.pixels() == PixelCoding::Raw => 3.0 * pixels,
        Form::Floats => 12.0 * pixels,
        Form::Stored | Form::Crop | Form::Photo | Form::Pixels => stored,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_samples_are_taken_through_all_of_a_job() {
        let all: Vec<_> = (0..399).rev().map(SampleIndex).collect();
        let few = evenly(&all);
        assert_eq!(few.len(), 12);
        assert!(few.iter().filter(|index| index.0 < 200).count() == 6 && few.is_sorted());
        assert_eq!(evenly(&all[..2]), [SampleIndex(397), SampleIndex(398)]);
        assert_eq!(evenly(&vec![SampleIndex(1); 1000]).len(), 1);
        let many: Vec<_> = (0..100_000).map(SampleIndex).collect();
        assert_eq!(evenly(&many).len(), 64);
    }

    #[test]
    fn what_a_sample_takes_is_told_from_what_a_job_takes_once() {
        let steady: Vec<_> = (0..20).map(|number| 0.5 + f64::from(number) * 0.01).collect();
        assert!((per_sample(&steady) - 0.01).abs() < 1e-9);
        assert_eq!(per_sample(&[0.2; 4]), 0.05, "all in one piece: no less than this is known");
        assert_eq!(per_sample(&[]), 0.0);
    }

    #[test]
    fn a_job_that_goes_the_plain_way_says_why() {
        let appraisal = Appraisal {
            job_seconds: Some(3.0),
            least_seconds: Some(2.5),
            budget_seconds: 0.15,
            ..Appraisal::default()
        };
        let reason = appraisal.reason().unwrap();
        assert_eq!(reason, "not planned: measuring takes at least 2.5 s, and may take 0.15 s of a job of about 3.0 s");
        assert_eq!(Appraisal { planned: true, ..appraisal }.reason(), None);
        assert!(Appraisal::default().reason().unwrap().contains("no time"));
    }
}
