//! Reading ahead what training jobs need next, from the first epoch on, and keeping true what the cache knows of next
//! uses.
//!
//! ```text
//! jobs that announce ─▶ what comes next, within a window ─▶ not cached ─▶ Pipeline::prefetch ─▶ cache
//! jobs that leave out ─▶ Packages: where one may begin ─▶ what is of low importance ─▶ Pipeline::prefetch_package
//! ```
//!
//! Bounds: a job's window is a part of the cache, so that what is read ahead does not push itself out; few reads run at
//! a time, and none while clients wait for memory, which is drawn with the priority of the background. A job whose
//! reads ahead the cache does not keep is left alone for a while: they would only cost.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use headwater_pipeline::{Job, Prefetched, SharedCache};
use headwater_policy::jobs::Looked;
use headwater_types::caps::PREFETCH_READS;
use headwater_types::{DatasetName, Digest, JobName, SampleIndex};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::datasets::Datasets;
use crate::generation::Generation;
use crate::homes::Need;
use crate::house::House;
use crate::packages::Beginning;

/// How often it is looked what comes next.
const LOOK: Duration = Duration::from_millis(100);
/// How often what jobs say anew is told to all cached entries: a million take a second or two.
const REFRESH: Duration = Duration::from_secs(10);
/// How long a job is left alone whose reads ahead are not kept.
const PAUSE: Duration = Duration::from_secs(10);
/// A job's window is at most this part of the cache.
const PART: u64 = 4;
/// Samples of a job that are looked at in a round.
const ROUND: u64 = 1024;

/// Reads ahead for all datasets of a server.
struct Ahead {
    house: Arc<House>,
    datasets: Arc<Datasets>,
    job: Job,
    /// What comes for each job of each generation.
    coming: BTreeMap<Of, Coming>,
    /// The revision of each generation's jobs that cached entries have been told of, and when.
    told: BTreeMap<Digest, (u64, Instant)>,
    reads: JoinSet<Read>,
}

/// A job, and the generation that it reads.
type Of = (Digest, JobName);

/// What comes for a job.
#[derive(Default)]
struct Coming {
    looked: Looked,
    /// Samples that are needed next and are not cached.
    samples: VecDeque<SampleIndex>,
    paused: Option<Instant>,
}

/// A read that has ended.
struct Read {
    of: Of,
    /// Whether the cache has kept it; `None` where there was nothing to read, or it could not be read.
    kept: Option<bool>,
}

/// Reads ahead until the server stops.
pub(crate) async fn run(house: Arc<House>, datasets: Arc<Datasets>) {
    let (job, stopping) = (house.resources.background(), house.stopping.clone());
    let (coming, told, reads) = (BTreeMap::new(), BTreeMap::new(), JoinSet::new());
    let mut ahead = Ahead { house, datasets, job, coming, told, reads };
    let mut look = Instant::now();
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            Some(read) = ahead.reads.join_next(), if !ahead.reads.is_empty() => ahead.settle(read),
            () = sleep_until(look) => {
                ahead.look().await;
                look = Instant::now() + LOOK;
            }
        }
        ahead.read();
    }
}

// === impl Ahead ===

impl Ahead {
    /// Looks what is said by now.
    async fn look(&mut self) {
        let held: Vec<_> = self.datasets.iter().flat_map(|served| served.held()).collect();
        held.iter().for_each(|generation| generation.jobs.expire());
        if let (Some(cache), Some(due)) = (&self.house.cache, held.iter().filter_map(|of| of.jobs.due()).min()) {
            cache.cache().advance(due);
        }
        self.told.retain(|digest, _| held.iter().any(|generation| generation.digest() == *digest));
        let mut coming = BTreeMap::new();
        let held = self.datasets.iter().flat_map(|served| served.held().into_iter().map(move |of| (&served.name, of)));
        let held: Vec<_> = held.map(|(name, of)| (name.clone(), of)).collect();
        for (name, generation) in &held {
            self.tell(generation).await;
            for job in generation.jobs.known() {
                let of = (generation.digest(), job);
                let mut known = self.coming.remove(&of).unwrap_or_default();
                self.window((name, generation), &of.1, &mut known);
                coming.insert(of, known);
            }
        }
        self.coming = coming;
    }

    /// Tells cached entries what jobs say of them by now, where that has changed as a whole.
    async fn tell(&mut self, generation: &Arc<Generation>) {
        if self.house.cache.is_none() {
            return;
        }
        let revision = generation.jobs.revision();
        let told = self.told.get(&generation.digest());
        if told.is_some_and(|(known, at)| *known == revision || at.elapsed() < REFRESH) || revision == 0 {
            return;
        }
        self.told.insert(generation.digest(), (revision, Instant::now()));
        let generation = Arc::clone(generation);
        let tell = move || {
            let samples = generation.catalog().len() as u64;
            (0..samples).for_each(|sample| generation.pipeline.look_again(SampleIndex(sample)));
        };
        if let Err(error) = tokio::task::spawn_blocking(tell).await {
            tracing::warn!(%error, "cached entries were not told what jobs need next");
        }
    }

    /// Finds what comes for a job, is kept by this server and is not cached, within its window.
    fn window(&self, (name, generation): (&DatasetName, &Generation), job: &JobName, coming: &mut Coming) {
        if coming.paused.is_some_and(|paused| paused.elapsed() < PAUSE) {
            return;
        }
        coming.paused = None;
        let (catalog, size) =
            (generation.catalog(), self.house.cache.as_ref().map_or(0, |cache| SharedCache::size(cache)));
        let mean = (catalog.bytes_total().get() / (catalog.len() as u64).max(1)).max(1);
        let within = size / PART / mean;
        let share = self.house.share.as_ref();
        let homes = share.map(|share| share.homes(name, generation.digest(), Need::Bytes));
        let is_own = |sample: &SampleIndex| {
            let home = homes.as_ref().zip(catalog.key(*sample));
            home.is_none_or(|(homes, key)| homes.of(name, &key).is_none())
        };
        while coming.samples.is_empty() {
            let next = generation.jobs.coming(job, &mut coming.looked, ROUND, within);
            if next.is_empty() {
                return;
            }
            let absent = next.into_iter().filter(|sample| is_own(sample) && !generation.pipeline.is_cached(*sample));
            coming.samples.extend(absent);
        }
    }

    /// Begins reads, as many as may run; none while clients wait for memory.
    fn read(&mut self) {
        if self.house.resources.shortage().is_some() {
            return;
        }
        self.read_packages();
        while self.reads.len() < PREFETCH_READS
            && let Some((of, sample)) = self.next()
        {
            let Some(generation) = self.generation(of.0) else { return };
            let job = self.job.clone();
            self.reads.spawn(async move {
                let came = generation.pipeline.prefetch(sample, &job).await;
                let kept = match came {
                    Ok(Prefetched::Read) => Some(generation.pipeline.is_cached(sample)),
                    Ok(Prefetched::There | Prefetched::NotKept) => None,
                    Err(failure) => {
                        tracing::debug!(index = sample.0, kind = %failure.kind, %failure, "not read ahead");
                        None
                    }
                };
                Read { of, kept }
            });
        }
    }

    /// Begins to read packages, which are few: of what jobs leave out a part is due.
    fn read_packages(&mut self) {
        let held: Vec<_> = self.datasets.iter().flat_map(|served| served.held()).collect();
        for generation in held {
            while self.reads.len() < PREFETCH_READS
                && let Some(Beginning { job: name, sample, most }) = generation.packages.next()
            {
                let is_wanted = |index| generation.jobs.is_low(&name, index);
                let Some(package) = generation.pipeline.package(sample, most, is_wanted) else { continue };
                generation.packages.brought(package.samples());
                let (generation, job, of) = (Arc::clone(&generation), self.job.clone(), (generation.digest(), name));
                self.reads.spawn(async move {
                    match generation.pipeline.prefetch_package(package, &job).await {
                        Ok(Some(0)) => generation.packages.pause(PAUSE),
                        Ok(_) => {}
                        Err(failure) => {
                            tracing::debug!(index = sample.0, kind = %failure.kind, %failure, "no package was read");
                        }
                    }
                    Read { of, kept: None }
                });
            }
        }
    }

    /// The sample that is read next: of the jobs in turn, so that none waits for the others.
    fn next(&mut self) -> Option<(Of, SampleIndex)> {
        let of = self.coming.iter().max_by_key(|(_, coming)| coming.samples.len()).map(|(of, _)| of.clone())?;
        let sample = self.coming.get_mut(&of)?.samples.pop_front()?;
        Some((of, sample))
    }

    fn generation(&self, digest: Digest) -> Option<Arc<Generation>> {
        self.datasets.iter().flat_map(|served| served.held()).find(|generation| generation.digest() == digest)
    }

    fn settle(&mut self, read: Result<Read, tokio::task::JoinError>) {
        match read {
            Ok(Read { of, kept: Some(false) }) => {
                tracing::debug!(job = %of.1, "what was read ahead was not kept: this job is left alone for a while");
                if let Some(coming) = self.coming.get_mut(&of) {
                    coming.samples.clear();
                    coming.paused = Some(Instant::now());
                }
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "a task that reads ahead ended badly"),
        }
    }
}
