//! The cut `jpeg-crop`: many samples at a time, because each takes a few microseconds, and a task of its own, two changes
//! of threads and a grant of memory for each would cost more than the work.
//!
//! ```text
//! run of samples ─▶ permit for all ─▶ index: glimpse, slice ──────────────────▶ payloads, each with its part
//!                                     (CPU pool)                            ▲   of the permit
//!                                      └ not in memory ─▶ read ─────▶ slice ┤
//!                                                   (blocking thread)  (CPU pool)
//!                                                    └ not there ─▶ fetch ─▶ re-write, verify, slice ─▶ keep
//! ```
//!
//! A photo that has no indexed form is delivered `encoded`, and says so.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use headwater_image::{CpuMeter, ImageError, IndexedJpeg, JpegCrop, Payload, Scratch, advance};
use headwater_store::{Extent, Store};
use headwater_types::{Address, ByteCount, CpuSeconds, Cut, Draws, PixelCoding, Recipe, SampleFailure, SampleKey};

use crate::budget::Permit;
use crate::failure::{lost, missing, pool_failure};
use crate::index::{Lookup, PhotoIndex};
use crate::photo::{Fetched, find_listed};
use crate::prepared::{Finished, Prepared};
use crate::sample::{Job, Pipeline, SampleRequest, Work};

/// Most samples of a run: what they share then costs each of them less than a microsecond.
const RUN_SAMPLES: usize = 32;
/// Most stored bytes of a run, but that one sample may always be one: large photos gain little from company, and of a longer run
/// the first crops would have left the core's cache when they are sent.
const RUN_BYTES: ByteCount = ByteCount::mebibytes(1);

/// A sample of a run, and its place there.
struct Wanted {
    place: usize,
    key: SampleKey,
    extent: Extent,
    address: Address,
}

/// What the index knew of a sample, and how long that took to find out.
struct Looked {
    wanted: Wanted,
    lookup: Result<Lookup, SampleFailure>,
    took: Duration,
}

/// What came of a look at the index that did not wait for the disk, and how long it took.
struct Glimpsed {
    wanted: Wanted,
    crop: Option<JpegCrop>,
    took: Duration,
    cpu: Option<CpuSeconds>,
}

/// What was cut out of an indexed photo, and how long that took.
struct Sliced {
    place: usize,
    crop: Result<Payload, ImageError>,
    took: Duration,
    cpu: Option<CpuSeconds>,
}

// === impl Pipeline ===

impl Pipeline {
    /// Parts a call's samples into what is prepared together: runs of `jpeg-crop`, and every other sample by itself.
    pub fn runs(&self, requests: impl IntoIterator<Item = SampleRequest>) -> Vec<Range<usize>> {
        part(requests.into_iter().map(|request| {
            let size = self.catalog.get(request.index).map(|entry| entry.version.size()).unwrap_or_default();
            (request.way.cut() == Cut::JpegCrop, size)
        }))
    }

    /// Takes a run of samples to the cut `jpeg-crop`; they come back in their order. Dropping the future ends the work
    /// at the next stage.
    pub async fn crops(&self, run: &[SampleRequest], work: &Work) -> Vec<Prepared> {
        let mut samples: Vec<Prepared> = run.iter().map(|request| self.unprepared(request.index)).collect();
        let wanted = samples.iter().zip(run).enumerate().filter_map(|(place, (sample, request))| {
            let extent = self.catalog.extent(sample.index)?;
            Some(Wanted { place, key: sample.key.clone()?, extent, address: request.address })
        });
        let wanted: Vec<_> = wanted.collect();
        let left = match self.slice_indexed(wanted, work, &mut samples).await {
            Ok(left) => left,
            Err(failure) => {
                samples.iter_mut().for_each(|sample| sample.outcome = Err(failure.clone()));
                return samples;
            }
        };
        let mut first = stream::iter(left)
            .map(|(wanted, lookup)| {
                let sample = self.unprepared(run[wanted.place].index);
                self.first_use(sample, wanted, lookup, work)
            })
            .buffer_unordered(RUN_SAMPLES);
        while let Some((place, sample)) = first.next().await {
            samples[place] = sample;
        }
        samples.into_iter().map(|sample| sample.within(work.max_payload)).collect()
    }

    /// Serves what is in the index. Gives back what is not, with what is known of it.
    async fn slice_indexed(
        &self,
        wanted: Vec<Wanted>,
        work: &Work,
        samples: &mut [Prepared],
    ) -> Result<Vec<(Wanted, Lookup)>, SampleFailure> {
        let Some(index) = &self.index else {
            return Ok(wanted.into_iter().map(|wanted| (wanted, Lookup::Absent)).collect());
        };
        let recipe = work.recipe.as_ref().ok_or_else(|| missing("recipe"))?;
        let most = wanted.iter().map(|wanted| IndexedJpeg::most_bytes(wanted.extent.length()).get()).sum();
        let started = Instant::now();
        let mut permit = self.encoded_memory.acquire(&work.account, ByteCount::new(most)).await?;
        let queued = started.elapsed();
        samples.iter_mut().for_each(|sample| sample.times.queue = queued);
        let wanted = self.glimpse(index, wanted, work, recipe, &mut permit, samples).await?;
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let looked = look_up(&self.store, index, wanted).await?;

        let (mut found, mut left) = (Vec::with_capacity(looked.len()), Vec::new());
        for Looked { wanted, lookup, took } in looked {
            match lookup {
                Ok(Lookup::Found(photo)) => {
                    samples[wanted.place].times.fetch = took;
                    found.push((wanted, photo));
                }
                Ok(lookup) => left.push((wanted, lookup)),
                Err(failure) => samples[wanted.place].outcome = Err(failure),
            }
        }
        if found.is_empty() {
            return Ok(left);
        }
        let (recipe, limits) = (Arc::clone(recipe), self.limits);
        let measure_cpu = work.measure_cpu;
        let slice_all = move |scratch: &mut Scratch| -> Vec<Sliced> {
            let each = found.into_iter().map(|(wanted, photo)| {
                let (started, meter) = (Instant::now(), CpuMeter::start(measure_cpu));
                let draws = Draws { address: wanted.address, key: &wanted.key };
                let crop = advance(&recipe, Payload::Indexed(photo), Cut::JpegCrop, &draws, &limits, scratch);
                Sliced { place: wanted.place, crop, took: started.elapsed(), cpu: meter.read() }
            });
            each.collect()
        };
        let timed = self.pool.run_timed(slice_all).await.map_err(|error| pool_failure(&error))?;
        for Sliced { place, crop, took, cpu } in timed.value {
            let sample = &mut samples[place];
            sample.times.queue += timed.queued;
            sample.times.transform = took;
            sample.times.add_cpu(cpu);
            sample.outcome = crop.map(|crop| Finished::part_of(&mut permit, crop)).map_err(SampleFailure::from);
        }
        Ok(left)
    }

    /// Serves what the index has in memory. Gives back the rest.
    async fn glimpse(
        &self,
        index: &Arc<PhotoIndex>,
        wanted: Vec<Wanted>,
        work: &Work,
        recipe: &Arc<Recipe>,
        permit: &mut Permit,
        samples: &mut [Prepared],
    ) -> Result<Vec<Wanted>, SampleFailure> {
        let (index, recipe) = (Arc::clone(index), Arc::clone(recipe));
        let store = Arc::clone(&self.store);
        let measure_cpu = work.measure_cpu;
        let look = move |_: &mut Scratch| -> Vec<Glimpsed> {
            let mut buffer = index.lend();
            let each = wanted.into_iter().map(|wanted| {
                let (started, meter) = (Instant::now(), CpuMeter::start(measure_cpu));
                let draws = Draws { address: wanted.address, key: &wanted.key };
                let (key, extent) = (&wanted.key, &wanted.extent);
                let is_listed = store.check_now(extent);
                let glimpse = || index.glimpse(key, extent.version(), recipe.stages(), &draws, &mut buffer);
                let crop = is_listed.then(glimpse).flatten();
                Glimpsed { wanted, crop, took: started.elapsed(), cpu: meter.read() }
            });
            let all = each.collect();
            index.take_back(buffer);
            all
        };
        let timed = self.pool.run_timed(look).await.map_err(|error| pool_failure(&error))?;
        let mut left = Vec::new();
        for Glimpsed { wanted, crop, took, cpu } in timed.value {
            let sample = &mut samples[wanted.place];
            sample.times.queue += timed.queued;
            sample.times.transform = took;
            sample.times.add_cpu(cpu);
            match crop {
                Some(crop) => sample.outcome = Ok(Finished::part_of(permit, Payload::JpegCrop(crop))),
                None => left.push(wanted),
            }
        }
        Ok(left)
    }

    /// A photo that is not in the index: re-written, kept there and cut; or delivered as it is, where it has no indexed
    /// form.
    async fn first_use(&self, mut sample: Prepared, wanted: Wanted, lookup: Lookup, work: &Work) -> (usize, Prepared) {
        let place = wanted.place;
        sample.times.cpu = work.measure_cpu.then(CpuSeconds::default);
        sample.outcome = self.first_outcome(&mut sample, wanted, lookup, work).await;
        (place, sample)
    }

    async fn first_outcome(
        &self,
        sample: &mut Prepared,
        wanted: Wanted,
        lookup: Lookup,
        work: &Work,
    ) -> Result<Finished, SampleFailure> {
        let Wanted { key, extent, address, .. } = wanted;
        let Fetched { bytes, permit } = self.fetch(sample.index, &work.account, &mut sample.times).await?;
        sample.stored = bytes.len().into();
        // Of a full index nothing is asked: re-writing the same photos at every epoch would cost more than it saves.
        let room = |index: &&Arc<PhotoIndex>| index.room(IndexedJpeg::most_bytes(extent.length())).is_ok();
        let (Some(index), Lookup::Absent) = (self.index.as_ref().filter(room), lookup) else {
            return Ok(Finished::encoded(bytes, permit));
        };
        let recipe = work.recipe.as_ref().ok_or_else(|| missing("recipe"))?;
        let Ok(header) = self.header(&bytes, recipe.stages().orientation).await else {
            // Whoever decodes it will say what is wrong with it.
            return Ok(Finished::encoded(bytes, permit));
        };
        // What needs more than one sample may have is not re-written, and only the reason costs.
        let memory = IndexedJpeg::rewrite_memory(&header, bytes.len().into()).min(self.limits.max_sample_memory);
        let mut decoded = self.grant(memory, &work.account, &mut sample.times).await?;
        let job = Job::new(self, recipe, &key, address, work);
        let source = bytes.clone();
        let rewrite = move |scratch: &mut Scratch| {
            let meter = CpuMeter::start(job.measure_cpu);
            let photo = IndexedJpeg::rewrite(&source, &job.limits);
            let crop = photo.clone().ok().map(|photo| job.run(Payload::Indexed(photo), Cut::JpegCrop, scratch));
            (photo, crop, meter.read())
        };
        let timed = self.pool.run_timed(rewrite).await.map_err(|error| pool_failure(&error))?;
        sample.times.queue += timed.queued;
        sample.times.transform = timed.ran;
        let (photo, crop, cpu) = timed.value;
        sample.times.add_cpu(cpu);
        let keeper = Arc::clone(index);
        tokio::task::spawn_blocking(move || {
            keeper.keep(&key, extent.version(), photo.as_ref().map_err(|&reason| reason))
        })
        .await
        .map_err(|error| lost(&error))?;
        match crop {
            Some(crop) => {
                let parts = crop?.0.into_parts(PixelCoding::Raw, None);
                decoded.shrink_to(parts.bytes.len().into());
                Ok(Finished { parts, permit: decoded })
            }
            None => Ok(Finished::encoded(bytes, permit)),
        }
    }
}

/// Reads a run's photos from the index, on a thread that may wait for a disk.
async fn look_up(
    store: &Arc<dyn Store>,
    index: &Arc<PhotoIndex>,
    wanted: Vec<Wanted>,
) -> Result<Vec<Looked>, SampleFailure> {
    let (store, index) = (Arc::clone(store), Arc::clone(index));
    let look = move || -> Vec<Looked> {
        let each = wanted.into_iter().map(|wanted| {
            let started = Instant::now();
            let lookup = find_listed(&*store, &index, &wanted.key, &wanted.extent);
            Looked { wanted, lookup, took: started.elapsed() }
        });
        each.collect()
    };
    tokio::task::spawn_blocking(look).await.map_err(|error| lost(&error))
}

/// Parts a row of (may share a run, stored bytes) into runs.
fn part(samples: impl Iterator<Item = (bool, ByteCount)>) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    // Of the last run, where it takes company.
    let mut open: Option<u64> = None;
    for (place, (shares, size)) in samples.enumerate() {
        let together = open.map(|bytes| bytes.saturating_add(size.get()));
        match (runs.last_mut(), together) {
            (Some(run), Some(bytes)) if shares && run.len() < RUN_SAMPLES && bytes <= RUN_BYTES.get() => {
                run.end = place + 1;
                open = Some(bytes);
            }
            _ => {
                runs.push(place..place + 1);
                open = shares.then_some(size.get());
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(samples: &[(bool, u64)]) -> Vec<Range<usize>> {
        part(samples.iter().map(|&(shares, size)| (shares, ByteCount::new(size))))
    }

    #[test]
    fn only_crops_share_a_run_and_no_run_is_too_long_or_too_large() {
        assert_eq!(runs(&[]), []);
        assert_eq!(runs(&[(true, 1), (true, 1), (false, 1), (false, 1), (true, 1)]), [0..2, 2..3, 3..4, 4..5]);
        let many = runs(&[(true, 1); RUN_SAMPLES + 1]);
        assert_eq!(many, [0..RUN_SAMPLES, RUN_SAMPLES..RUN_SAMPLES + 1]);
        let most = RUN_BYTES.get();
        assert_eq!(runs(&[(true, most + 1), (true, 1), (true, most - 1), (true, 1)]), [0..1, 1..3, 3..4]);
    }
}
