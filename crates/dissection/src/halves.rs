//! A network's halves at a cut, run on one core.

use std::time::Duration;

use headwater_features::{Part, PartTensor, Runtime};
use headwater_onnx::Split;
use headwater_plan::partition::BatchCost;

use crate::error::DissectionError;
use crate::stopwatch::fastest;
use crate::values::{open, run};

/// How halves are timed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing<'a> {
    /// Images that run at once, each number in turn.
    pub(crate) batches: &'a [u32],
    /// How long each number is run for.
    pub(crate) within: Duration,
}

/// What an image takes in both halves.
#[derive(Clone, Debug)]
pub(crate) struct HalvesCost {
    /// CPU seconds an image of the front, by the images that run at once.
    pub(crate) front: Vec<BatchCost>,
    /// CPU seconds an image of the back, by the number at which it takes the fewest.
    pub(crate) back: f64,
}

/// Opens the halves and runs them: the front on the image, the back on the image's values at the cut.
pub(crate) fn measure(
    runtime: &Runtime,
    split: &Split,
    (image, values): (&PartTensor, &[&PartTensor]),
    timing: Timing<'_>,
) -> Result<HalvesCost, DissectionError> {
    let mut front = open(runtime, &split.front, "the front")?;
    let front = seconds(&mut front, &[image], timing)?;
    let mut back = open(runtime, &split.back, "the back")?;
    let back = seconds(&mut back, values, timing)?;
    Ok(HalvesCost { front, back: least(&back) })
}

/// CPU seconds an image of a part, in batches of each size: of the same image, over and over.
pub(crate) fn seconds(
    part: &mut Part,
    fed: &[&PartTensor],
    timing: Timing<'_>,
) -> Result<Vec<BatchCost>, DissectionError> {
    let mut costs = Vec::with_capacity(timing.batches.len());
    for &batch in timing.batches {
        let fed: Vec<_> = fed.iter().map(|tensor| tensor.repeated(batch as usize)).collect();
        let fed: Vec<_> = fed.iter().collect();
        let taken = fastest(timing.within, || run(part, &fed, "a half of the network").map(drop))?;
        costs.push(BatchCost { batch, server_seconds: taken / f64::from(batch) });
    }
    Ok(costs)
}

/// The fewest seconds of several batches.
pub(crate) fn least(costs: &[BatchCost]) -> f64 {
    costs.iter().map(|cost| cost.server_seconds).fold(f64::INFINITY, f64::min)
}
