//! What an image costs real servers at the cuts of a network: the CPU time that they say, and what serving takes
//! beside it.

use futures::TryStreamExt;
use headwater_client::{AskedModel, Dataset, FetchRequest, Front};
use headwater_types::{Address, Cut, DevicePool, Form, ModelName, NetworkCut, SampleIndex, Way};
use tokio::time::Instant;

use crate::clock::cpu_of_process;
use crate::error::PilotError;
use crate::headway::{Headway, OnProgress};
use crate::order::shuffled;
use crate::ways::travels_as_floats;

/// What an image costs servers at one way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ServedCost {
    /// CPU seconds of the servers' workers.
    pub seconds: f64,
    /// Bytes of the payload.
    pub bytes: f64,
}

/// What an image costs servers at a cut of the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServedCut {
    /// As it is.
    pub raw: ServedCost,
    /// Coded without loss.
    pub coded: ServedCost,
    /// Seconds of one of a server's devices to run the front; `None` where cores run it, whose time `raw` has.
    pub device: Option<f64>,
    /// Images that a core runs at once.
    pub batch: u32,
}

/// What an image costs servers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServedCuts {
    /// Beside its payload and its features: core seconds of a server to read and send it. At servers with devices it
    /// counts as none, since cores that serve cannot be told from cores that wait for a device.
    pub serving: f64,
    /// Seconds of one of a server's devices to run the whole network; `None` where cores run it.
    pub device: Option<f64>,
    /// The same as `serving` here, to receive it: CPU seconds.
    pub receiving: f64,
    /// As it is stored, as pixels and as features; ways at which no image came are missing.
    pub ways: Vec<(Way, ServedCost)>,
    /// At each cut that was asked for, in that order.
    pub cuts: Vec<ServedCut>,
}

/// Samples from each server, at most, that say what serving takes beside the work: some tenths of a second.
const CALIBRATION: u64 = 256;
/// Seconds that serving one image takes at most: more of it is a network or cores that are busy otherwise.
const MOST_SERVING: f64 = 1e-3;

/// Measures on so many samples of each server. Servers open the front of each cut, which takes them seconds.
///
/// # Errors
/// Servers that cannot be reached, that lack the model or cannot cut it; none of whose samples can be had.
pub async fn served_cuts(
    dataset: &Dataset,
    model: &ModelName,
    (ways, cuts): (&[Way], &[NetworkCut]),
    samples: u64,
    on_progress: OnProgress<'_>,
) -> Result<ServedCuts, PilotError> {
    let total = (1 + ways.len() + cuts.len()) as u64;
    let step = |done: usize| on_progress(Headway { done: done as u64, total });
    let few = some_of_each(dataset, samples);
    let whole = || AskedModel::from(model.clone());
    let of_devices = dataset.registered_model(model)?;
    if of_devices.unrated {
        return Err(PilotError::UnratedDevices(model.clone()));
    }
    let device = device_seconds(model, &of_devices.devices)?;
    let mut served = ServedCuts { device, ..ServedCuts::default() };
    // Sessions allocate in their first runs.
    pass(dataset, &few, Way::FEATURES, whole()).await?;
    (served.serving, served.receiving) = calibrate(dataset, whole()).await?;
    if device.is_some() {
        served.serving = 0.0;
    }
    step(1);
    for (place, &way) in ways.iter().enumerate() {
        if way.cut() == Cut::JpegCrop {
            // The first crop re-writes the photo, once.
            pass(dataset, &few, way, whole()).await?;
        }
        served.ways.extend(pass(dataset, &few, way, whole()).await?.cost.map(|cost| (way, cost)));
        step(2 + place);
    }
    as_all(&mut served.ways, stored_bytes(dataset));
    for (place, cut) in cuts.iter().enumerate() {
        let front = dataset.open_front(model, cut).await?;
        served.cuts.push(at_cut(dataset, &few, &front).await?);
        step(2 + ways.len() + place);
    }
    Ok(served)
}

/// Seconds for which an image keeps one of these servers' devices busy: the mean; `None` where none has any.
fn device_seconds(model: &ModelName, servers: &[Option<DevicePool>]) -> Result<Option<f64>, PilotError> {
    let seconds: Vec<_> = servers.iter().flatten().map(|devices| devices.seconds()).collect();
    match seconds.len() {
        0 => Ok(None),
        some if some < servers.len() => Err(PilotError::MixedDevices(model.clone())),
        all => Ok(Some(seconds.iter().sum::<f64>() / all as f64)),
    }
}

/// Stored bytes of a sample: the mean of all, as the servers say it.
fn stored_bytes(dataset: &Dataset) -> f64 {
    let of = |partition: &headwater_client::Partition| (partition.stored_bytes as f64, partition.samples as f64);
    let (bytes, samples) = dataset.partitions().iter().map(of).fold((0.0, 0.0), |sum, of| (sum.0 + of.0, sum.1 + of.1));
    bytes / samples
}

/// A few photos are seldom as long as all are, since some are very long. The stored bytes of all are known, and crops
/// are taken to be as much longer or shorter.
fn as_all(ways: &mut [(Way, ServedCost)], stored: f64) {
    let of_few = ways.iter().find(|(way, _)| *way == Way::ENCODED).map(|(_, cost)| cost.bytes);
    let Some(factor) = of_few.map(|few| stored / few).filter(|factor| factor.is_normal()) else { return };
    let files = ways.iter_mut().filter(|(way, _)| matches!(way.cut().form(), Form::Stored | Form::Crop));
    files.for_each(|(_, cost)| cost.bytes *= factor);
}

/// What one fetch of some samples came to.
struct Passed {
    /// The mean; `None` where no sample came.
    cost: Option<ServedCost>,
    /// Samples that came.
    came: u64,
    seconds: f64,
    /// CPU seconds of this process.
    here: f64,
}

async fn at_cut(dataset: &Dataset, samples: &[SampleIndex], front: &Front) -> Result<ServedCut, PilotError> {
    let asked = || AskedModel::from(front.clone());
    let nothing = || PilotError::NothingServed(front.cut.to_string());
    pass(dataset, samples, Way::FEATURES, asked()).await?;
    let raw = pass(dataset, samples, Way::FEATURES, asked()).await?.cost.ok_or_else(nothing)?;
    let coded = pass(dataset, samples, Way::FEATURES_LOSSLESS, asked()).await?.cost.ok_or_else(nothing)?;
    let device = device_seconds(&front.model.info.name, &front.model.devices)?;
    Ok(ServedCut { raw, coded, device, batch: front.max_batch })
}

/// Core seconds of a server, and CPU seconds here, that an image takes beside the work at it: servers are kept busy one
/// after the other, with features, which are few bytes.
async fn calibrate(dataset: &Dataset, model: AskedModel) -> Result<(f64, f64), PilotError> {
    let (mut serving, mut receiving, mut images) = (0.0, 0.0, 0.0);
    for partition in dataset.partitions() {
        let count = partition.samples.min(CALIBRATION);
        let samples: Vec<_> = (partition.first..partition.first + count).map(SampleIndex).collect();
        if samples.is_empty() {
            continue;
        }
        let Passed { cost: Some(cost), came, seconds, here } =
            pass(dataset, &samples, Way::FEATURES, model.clone()).await?
        else {
            continue;
        };
        let of_core = seconds * f64::from(partition.cpu_workers) / came as f64;
        serving += came as f64 * (of_core - cost.seconds).clamp(0.0, MOST_SERVING);
        receiving += here;
        images += came as f64;
    }
    Ok(if images > 0.0 { (serving / images, receiving / images) } else { (0.0, 0.0) })
}

/// Fetches some samples, and says what they took.
async fn pass(dataset: &Dataset, samples: &[SampleIndex], way: Way, model: AskedModel) -> Result<Passed, PilotError> {
    let request = FetchRequest {
        indices: samples.iter().copied().collect(),
        recipe: None,
        ways: way.into(),
        floats: travels_as_floats(way),
        addresses: Address::default().into(),
        model: Some(model),
        ordered: false,
        measure_cpu: true,
        fields: Vec::new(),
        caller: None,
    };
    let (begin, before) = (Instant::now(), cpu_of_process());
    let mut stream = dataset.fetch(request)?;
    let (mut sum, mut came) = (ServedCost::default(), 0_u64);
    while let Some(sample) = stream.try_next().await? {
        if let Ok(delivered) = &sample.outcome {
            sum.seconds += sample.cpu.unwrap_or_default().0;
            sum.bytes += delivered.payload.len() as f64;
            came += 1;
        }
    }
    let mean = |sum: f64| sum / came as f64;
    let cost = (came > 0).then(|| ServedCost { seconds: mean(sum.seconds), bytes: mean(sum.bytes) });
    Ok(Passed { cost, came, seconds: begin.elapsed().as_secs_f64(), here: cpu_of_process().0 - before.0 })
}

/// So many samples of each server, from all over its part.
fn some_of_each(dataset: &Dataset, samples: u64) -> Vec<SampleIndex> {
    let of = |partition: &headwater_client::Partition| {
        let order = shuffled(partition.samples, Address::new(3, 0));
        let take = usize::try_from(samples).unwrap_or(usize::MAX);
        let first = partition.first;
        order.into_iter().take(take).map(move |SampleIndex(local)| SampleIndex(first + local)).collect::<Vec<_>>()
    };
    dataset.partitions().iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_take_the_mean_of_their_seconds_and_do_not_mix_with_cores() {
        let (model, pool) = ("net".parse().unwrap(), |rate| DevicePool::new(2, rate).ok());
        assert_eq!(device_seconds(&model, &[None, None]).unwrap(), None);
        assert_eq!(device_seconds(&model, &[pool(100.0), pool(50.0)]).unwrap(), Some(0.015));
        let mixed = device_seconds(&model, &[pool(100.0), None]).unwrap_err().to_string();
        assert!(mixed.contains("measure the ones and the others apart"), "{mixed}");
    }

    #[test]
    fn files_are_as_long_as_all_are_and_pixels_stay_what_they_are() {
        let cost = |bytes| ServedCost { seconds: 1.0, bytes };
        let way = |text: &str| text.parse::<Way>().unwrap();
        let mut ways = [("encoded", 40.0), ("jpeg-crop", 20.0), ("flipped", 9.0)].map(|(w, b)| (way(w), cost(b)));
        as_all(&mut ways, 60.0);
        assert_eq!(ways.map(|(_, cost)| cost.bytes), [60.0, 30.0, 9.0]);
        as_all(&mut ways, f64::NAN);
        as_all(&mut ways[2..], 60.0);
        assert_eq!(ways.map(|(_, cost)| cost.bytes), [60.0, 30.0, 9.0]);
    }
}
