//! Crops of photos that are in the index: from the system's memory where they are there, else read from the index's
//! disk.

use std::sync::Arc;
use std::time::Instant;

use futures::{StreamExt, stream};
use headwater_image::{CpuMeter, ImageError, IndexedJpeg, JpegCrop, Payload, Scratch};
use headwater_store::Store;
use headwater_types::{ByteCount, Cut, Draws, SampleFailure};

use crate::budget::Permit;
use crate::failure::lost;
use crate::index::{Lookup, PhotoIndex};
use crate::photo::find_listed;
use crate::prepared::{Finished, Prepared};
use crate::resources::Job;
use crate::times::Stage;

use super::request::CropRequest;
use super::runs::RUN_SAMPLES;

/// Samples at the end of their way, with their places; and samples that the index does not have, with what it knows of
/// them.
type Served = (Vec<(usize, Prepared)>, Vec<(CropRequest, Lookup)>);

/// Serves the samples of a run that are in the index.
///
/// # Errors
/// What keeps the whole run from being served.
pub(super) async fn serve_indexed(
    index: &Arc<PhotoIndex>,
    store: &Arc<dyn Store>,
    wanted: Vec<CropRequest>,
    job: &Job,
) -> Result<Served, SampleFailure> {
    let (mut wanted, most, mut done) = measured(store, wanted).await;
    let started = Instant::now();
    let mut permit = job.encoded(ByteCount::new(most)).await?;
    wanted.iter_mut().for_each(|wanted| wanted.sample.times.since(Stage::Queue, started));

    let mut left = Vec::new();
    let finish = |crop, permit: &mut Permit| Finished::part_of(permit, crop);
    let mut rest = Vec::new();
    for (wanted, crop) in glimpse(index, store, wanted, job).await? {
        match crop {
            Some(crop) => done.push(wanted.end(Ok(finish(Payload::JpegCrop(crop), &mut permit)))),
            None => rest.push(wanted),
        }
    }
    let mut found = Vec::with_capacity(rest.len());
    for (wanted, lookup) in look_up(index, store, rest).await? {
        match lookup {
            Ok(Lookup::Found(photo)) => found.push((wanted, photo)),
            Ok(lookup) => left.push((wanted, lookup)),
            Err(failure) => done.push(wanted.end(Err(failure))),
        }
    }
    for (wanted, crop) in slice(found, job).await? {
        let outcome = crop.map(|crop| finish(crop, &mut permit)).map_err(SampleFailure::from);
        done.push(wanted.end(outcome));
    }
    Ok((done, left))
}

/// The samples with the most bytes that all of them may have in the index, and those of which nobody knows that. Only
/// rows of tables are asked for: the others' sizes are listed.
async fn measured(store: &Arc<dyn Store>, wanted: Vec<CropRequest>) -> (Vec<CropRequest>, u64, Vec<(usize, Prepared)>) {
    let is_listed = |wanted: &CropRequest| wanted.sample.extent.range().is_some();
    let (mut known, rows): (Vec<_>, Vec<_>) = wanted.into_iter().partition(is_listed);
    let listed = known.iter().map(|wanted| IndexedJpeg::most_bytes(wanted.sample.extent.length()).get());
    let (mut most, mut failed) = (listed.sum(), Vec::new());
    let length = |wanted: CropRequest| async {
        let length = store.length(&wanted.sample.extent).await;
        (wanted, length)
    };
    let mut lengths = stream::iter(rows).map(length).buffered(RUN_SAMPLES);
    while let Some((wanted, length)) = lengths.next().await {
        match length {
            Ok(length) => {
                most += IndexedJpeg::most_bytes(length).get();
                known.push(wanted);
            }
            Err(failure) => failed.push(wanted.end(Err(failure))),
        }
    }
    (known, most, failed)
}

/// Cuts what the index has in memory, on a CPU worker; `None` for the rest.
async fn glimpse(
    index: &Arc<PhotoIndex>,
    store: &Arc<dyn Store>,
    wanted: Vec<CropRequest>,
    job: &Job,
) -> Result<Vec<(CropRequest, Option<JpegCrop>)>, SampleFailure> {
    let (index, store) = (Arc::clone(index), Arc::clone(store));
    let look = move |_: &mut Scratch| -> Vec<_> {
        let mut buffer = index.lend();
        let glimpse = |mut wanted: CropRequest| {
            let clock = Clock::start(&wanted);
            let (key, extent) = (&wanted.sample.key, &wanted.sample.extent);
            let draws = Draws { address: wanted.run.address, key };
            let glimpse = || index.glimpse(key, extent, wanted.run.recipe.stages(), &draws, &mut buffer);
            let crop = store.check_now(extent).then(glimpse).flatten();
            clock.stop(&mut wanted);
            (wanted, crop)
        };
        wanted.into_iter().map(glimpse).collect()
    };
    compute(look, job).await
}

/// Looks for photos in the index, on a thread that may wait for a disk.
async fn look_up(
    index: &Arc<PhotoIndex>,
    store: &Arc<dyn Store>,
    wanted: Vec<CropRequest>,
) -> Result<Vec<(CropRequest, Result<Lookup, SampleFailure>)>, SampleFailure> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let (index, store) = (Arc::clone(index), Arc::clone(store));
    let look = move |mut wanted: CropRequest| {
        let started = Instant::now();
        let lookup = find_listed(&*store, &index, &wanted.sample.key, &wanted.sample.extent);
        wanted.sample.times.since(Stage::Fetch, started);
        (wanted, lookup)
    };
    let look = move || wanted.into_iter().map(look).collect();
    tokio::task::spawn_blocking(look).await.map_err(|error| lost(&error))
}

/// Cuts photos that were read from the index, on a CPU worker.
async fn slice(
    found: Vec<(CropRequest, IndexedJpeg)>,
    job: &Job,
) -> Result<Vec<(CropRequest, Result<Payload, ImageError>)>, SampleFailure> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let slice = |scratch: &mut Scratch| -> Vec<_> {
        let slice = |(mut wanted, photo): (CropRequest, IndexedJpeg)| {
            let clock = Clock::start(&wanted);
            let crop = wanted.run.run(Payload::Indexed(photo), Cut::JpegCrop, scratch).map(|(crop, _)| crop);
            clock.stop(&mut wanted);
            (wanted, crop)
        };
        found.into_iter().map(slice).collect()
    };
    compute(slice, job).await
}

/// Does work for samples on a CPU worker, and adds to each how long it was queued.
async fn compute<T: Send + 'static>(
    work: impl FnOnce(&mut Scratch) -> Vec<(CropRequest, T)> + Send + 'static,
    job: &Job,
) -> Result<Vec<(CropRequest, T)>, SampleFailure> {
    let timed = job.compute(work).await?;
    let mut made = timed.value;
    made.iter_mut().for_each(|(wanted, _)| wanted.sample.times.add([(Stage::Queue, timed.queued)]));
    Ok(made)
}

/// The time that a CPU worker takes for one sample.
struct Clock {
    started: Instant,
    meter: CpuMeter,
}

// === impl Clock ===

impl Clock {
    fn start(wanted: &CropRequest) -> Self {
        Self { started: Instant::now(), meter: CpuMeter::start(wanted.run.measure_cpu) }
    }

    fn stop(self, wanted: &mut CropRequest) {
        wanted.sample.times.since(Stage::Transform, self.started);
        wanted.sample.times.add_cpu(self.meter.read());
    }
}
