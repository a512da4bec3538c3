//! The first look at a job: how long a few of its samples take the plain way.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use headwater_client::{Dataset, FetchRequest};
use headwater_types::{Address, Cut, Form, PixelCoding, SampleIndex, Way};
use tokio::time::Instant;

use super::plain::plain;
use crate::error::PilotError;
use crate::finishing::Finishing;
use crate::headway::Meter;
use crate::profile::FIRST_SAMPLES;
use crate::target::Making;

/// What the first samples of a job showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FirstLook {
    /// Wall seconds that a sample takes the plain way, with all servers at work.
    pub(super) per_sample: f64,
    /// Bits per second while bytes were underway; infinite where that took no time.
    bandwidth: f64,
}

/// One of this many samples of a job is looked at first.
const LOOK: usize = 32;
/// The least and the most samples that are looked at first.
const LOOK_BOUNDS: [usize; 2] = [4, 64];
/// Seconds that asking for a way takes, beside its samples.
const ASK: f64 = 0.05;
/// How many times as long as the plain way any way takes for a sample: a guess on the safe side.
const HEAVIER: f64 = 2.0;
/// Time that measuring the network takes at least, at each server.
pub(crate) const LEAST_NETWORK: Duration = Duration::from_millis(300);

// === impl FirstLook ===

impl FirstLook {
    /// Fetches and finishes these samples the plain way.
    pub(super) async fn at(
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
            model: making.target().model().map(|model| model.name.clone().into()),
            ordered: false,
            measure_cpu: false,
            fields: Vec::new(),
            caller: None,
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
    pub(super) fn least(&self, dataset: &Dataset, making: Making<'_>, ways: &[Way]) -> f64 {
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

/// A few of the samples, evenly through all servers.
pub(super) fn evenly(samples: &[SampleIndex]) -> Vec<SampleIndex> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let [least, most] = LOOK_BOUNDS;
    let count = (sorted.len() / LOOK).clamp(least, most).min(sorted.len());
    (0..count).map(|number| sorted[(2 * number + 1) * sorted.len() / (2 * count)]).collect()
}

/// Seconds between samples, from when each came. The time before the first sample goes into connecting, and into
/// waiting for a batch to fill: a job does that once.
fn per_sample(came: &[f64]) -> f64 {
    let (Some(first), Some(last)) = (came.first(), came.last()) else { return 0.0 };
    // What came in one piece with the first was made before it.
    let with_first = came.iter().filter(|&&at| at - first < TOGETHER).count();
    let after = came.len() - with_first;
    if after * 2 >= came.len() { (last - first) / after as f64 } else { last / came.len() as f64 }
}

/// Seconds within which the samples of one message come.
const TOGETHER: f64 = 0.002;

/// A rough estimate of the bytes of a sample at a way.
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
}
