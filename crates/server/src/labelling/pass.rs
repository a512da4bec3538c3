//! One pass of a labelling over a generation of its dataset: what is not labelled yet is looked for among the features
//! that are kept, else prepared, and committed in blocks.
//!
//! The samples of a block are in work while the block before is written. While clients read, only a share of the
//! model's places is used, and memory is drawn with the priority of the background.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use headwater_pipeline::{Call, Job, Pipeline, Prepared, SampleRequest, Wanted};
use headwater_types::caps::LABEL_BLOCK_ROWS;
use headwater_types::{Address, ByteCount, FailureKind, SampleFailure, SampleIndex, SampleKey};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::failing::{Failing, Verdict, verdict};
use super::gathered::{Committed, Gathered, Sink};
use super::job::{LabellingJob, Wish};
use super::lacking::{is_lacking, named};
use crate::generation::Generation;
use crate::homes::{Homes, Need};
use crate::house::House;

/// The longest time for which a labelled sample is not in the index.
const COMMIT: Duration = Duration::from_secs(1);
/// Most samples in work at a time.
const MOST_IN_WORK: usize = 512;

/// What a pass works with.
pub(super) struct Pass {
    pub(super) house: Arc<House>,
    pub(super) generation: Arc<Generation>,
    pub(super) job: Arc<LabellingJob>,
    pub(super) sink: Sink,
}

/// How a pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Every sample has had its turn.
    Done,
    /// Something else is wished.
    Interrupted,
}

/// A pass under way.
struct Under<'p> {
    pass: &'p Pass,
    drawn: Job,
    wishes: watch::Receiver<Wish>,
    /// Samples of which it is not known yet whether they have labels.
    unseen: u64,
    /// Samples without labels whose features are not kept.
    todo: VecDeque<SampleIndex>,
    working: FuturesUnordered<JoinHandle<Option<Prepared>>>,
    gathered: Gathered,
    /// The block before, while it is labelled and written: what came of its samples.
    writing: Option<JoinHandle<Result<Committed>>>,
    /// When what is gathered is committed.
    due: Instant,
    failing: Failing,
    since: Instant,
}

// === impl Pass ===

impl Pass {
    /// Labels what is not labelled.
    ///
    /// # Errors
    /// What keeps it from going on: the index's disk, a head that cannot be run.
    pub(super) async fn run(&self) -> Result<Ended> {
        let now = Instant::now();
        let mut under = Under {
            pass: self,
            drawn: self.house.resources.background(),
            wishes: self.job.wishes(),
            unseen: 0,
            todo: VecDeque::new(),
            working: FuturesUnordered::new(),
            gathered: Gathered::default(),
            writing: None,
            due: now,
            failing: Failing::default(),
            since: now,
        };
        let ended = under.run().await;
        let settled = under.settle().await;
        // What is in work is not waited for: it is not labelled yet, and has its turn when the labelling goes on.
        under.working.iter().for_each(JoinHandle::abort);
        let ran = under.since.elapsed();
        self.job.tell(|told| told.ran += ran);
        ended.and_then(|ended| settled.map(|()| ended))
    }

    fn catalog(&self) -> &headwater_store::Catalog {
        self.generation.catalog()
    }

    /// The servers that can be homes of the samples; `None` where the store is shared with nobody.
    fn homes(&self) -> Option<Homes> {
        let share = self.house.share.as_ref()?;
        Some(share.homes(&self.job.request.dataset, self.generation.digest(), Need::Bytes))
    }

    /// Whether what is made of a sample may be kept here: its home keeps it, and no other server does.
    fn is_kept_here(&self, homes: Option<&Homes>, sample: SampleIndex) -> bool {
        let home = homes.zip(self.catalog().key(sample));
        home.is_none_or(|(homes, key)| homes.of(&self.job.request.dataset, &key).is_none())
    }

    /// Samples that may be in work at the moment.
    fn most_in_work(&self) -> usize {
        let extractor = self.sink.classifier.extractor();
        let all = (4 * extractor.workers() * extractor.max_batch().get()).clamp(8, MOST_IN_WORK);
        match self.house.open_streams() {
            0 => all,
            _ => (all * self.job.request.share_percent as usize / 100).max(1),
        }
    }
}

// === impl Under ===

impl Under<'_> {
    async fn run(&mut self) -> Result<Ended> {
        loop {
            if self.pass.job.wished() != Wish::Go {
                self.commit().await?;
                return Ok(Ended::Interrupted);
            }
            self.look().await?;
            self.begin();
            if self.gathered.len() >= LABEL_BLOCK_ROWS || (!self.gathered.is_empty() && self.due <= Instant::now()) {
                self.commit().await?;
                continue;
            }
            if self.working.is_empty() && self.todo.is_empty() {
                if self.unseen < self.pass.catalog().len() as u64 {
                    continue;
                }
                self.commit().await?;
                return Ok(Ended::Done);
            }
            tokio::select! {
                Some(prepared) = self.working.next() => self.gather(prepared.ok().flatten())?,
                () = sleep_until(self.due), if !self.gathered.is_empty() => {}
                _ = self.wishes.changed() => {}
            }
        }
    }

    /// Looks for samples without labels, block after block, until there is enough to do, and takes the features of
    /// those of which some are kept.
    async fn look(&mut self) -> Result<()> {
        let samples = self.pass.catalog().len() as u64;
        while self.unseen < samples && self.todo.len() < MOST_IN_WORK && self.gathered.len() < LABEL_BLOCK_ROWS {
            let room = LABEL_BLOCK_ROWS - self.gathered.len();
            let wanted = self.wanted(room);
            if wanted.is_empty() {
                continue;
            }
            let kept = self.kept(&wanted).await?;
            for (sample, features) in wanted.into_iter().zip(kept) {
                match (features, named(&self.pass.generation, sample)) {
                    (Some(features), Some(named)) => self.add(sample, named, &features),
                    _ => self.todo.push_back(sample),
                }
            }
        }
        Ok(())
    }

    /// The next samples without labels, at most so many.
    fn wanted(&mut self, most: usize) -> Vec<SampleIndex> {
        let samples = self.pass.catalog().len() as u64;
        let standing = self.pass.sink.standing.read().unwrap_or_else(PoisonError::into_inner);
        let mut wanted = Vec::new();
        while self.unseen < samples && wanted.len() < most {
            if is_lacking(standing.standing(self.unseen), self.pass.job.request.retry_failed) {
                wanted.push(SampleIndex(self.unseen));
            }
            self.unseen += 1;
        }
        wanted
    }

    /// The features of these samples that are kept.
    async fn kept(&self, samples: &[SampleIndex]) -> Result<Vec<Option<Vec<f32>>>> {
        let extractor = Arc::clone(self.pass.sink.classifier.extractor());
        let memory = Pipeline::features_memory(samples.len(), &extractor);
        let permit = self.drawn.encoded(memory).await.map_err(unkept)?;
        let (generation, samples) = (Arc::clone(&self.pass.generation), samples.to_vec());
        let find = move || {
            let _permit = permit;
            generation.pipeline.kept_of(&samples, &extractor)
        };
        tokio::task::spawn_blocking(find).await.context("looking for kept features")
    }

    /// Begins samples, as many as may be in work.
    fn begin(&mut self) {
        let (most, homes) = (self.pass.most_in_work(), self.pass.homes());
        while self.working.len() < most
            && let Some(sample) = self.todo.pop_front()
        {
            let generation = Arc::clone(&self.pass.generation);
            let call = Call {
                job: self.drawn.clone(),
                measure_cpu: false,
                max_payload: ByteCount::new(u64::MAX),
                allow_non_finite: false,
                keep: self.pass.is_kept_here(homes.as_ref(), sample),
                traced: false,
            };
            let wanted = Wanted::features(self.pass.sink.classifier.extractor());
            let request = SampleRequest { index: sample, address: Address::default(), wanted };
            self.working.push(tokio::spawn(async move {
                generation.pipeline.prepare(std::slice::from_ref(&request), &call).await.pop()
            }));
        }
    }

    /// Takes what came of a sample.
    fn gather(&mut self, prepared: Option<Prepared>) -> Result<()> {
        let prepared = prepared.context("a sample's task ended badly: please report it")?;
        let Some(named) = named(&self.pass.generation, prepared.index) else { return Ok(()) };
        match prepared.outcome {
            Ok(finished) => {
                let features: Vec<f32> =
                    finished.parts.bytes.as_chunks::<4>().0.iter().copied().map(f32::from_le_bytes).collect();
                if prepared.times.infer > Duration::ZERO {
                    self.pass.job.tell(|told| told.decoded += 1);
                }
                self.add(prepared.index, named, &features);
            }
            Err(failure) => self.fail(prepared.index, named, &failure),
        }
        Ok(())
    }

    fn fail(&mut self, sample: SampleIndex, named: (SampleKey, [u8; 16]), failure: &SampleFailure) {
        let verdict = verdict(failure.kind);
        tracing::debug!(key = named.0.as_str(), kind = %failure.kind, %failure, ?verdict, "not labelled");
        if verdict == Verdict::Changed {
            self.pass.job.tell(|told| told.changed += 1);
            return;
        }
        self.count(&named.0, failure.kind);
        if verdict == Verdict::Lasting {
            self.begin_block();
            self.gathered.fail(sample, named, failure.kind);
        }
    }

    fn count(&mut self, key: &SampleKey, kind: FailureKind) {
        self.failing.add(kind, key);
        let failures = self.failing.told();
        self.pass.job.tell(|told| {
            told.failed += 1;
            told.failures = failures;
        });
    }

    fn add(&mut self, sample: SampleIndex, named: (SampleKey, [u8; 16]), features: &[f32]) {
        self.begin_block();
        self.gathered.add(sample, named, features);
    }

    /// The first sample of a block says when the block is due.
    fn begin_block(&mut self) {
        if self.gathered.is_empty() {
            self.due = Instant::now() + COMMIT;
        }
    }

    /// Begins to commit what is gathered, once the block before is written.
    async fn commit(&mut self) -> Result<()> {
        self.settle().await?;
        let gathered = std::mem::take(&mut self.gathered);
        if !gathered.is_empty() {
            let sink = self.pass.sink.clone();
            self.writing = Some(tokio::task::spawn_blocking(move || gathered.commit(&sink)));
        }
        let ran = std::mem::replace(&mut self.since, Instant::now());
        let ran = self.since.duration_since(ran);
        self.pass.job.tell(|told| told.ran += ran);
        Ok(())
    }

    /// Waits until the block before is written.
    async fn settle(&mut self) -> Result<()> {
        if let Some(writing) = self.writing.take() {
            let Committed { labelled, unscored } = writing.await.context("labelling a block")??;
            self.pass.job.tell(|told| told.labelled += labelled);
            for (key, failure) in unscored {
                tracing::debug!(key = key.as_str(), kind = %failure.kind, %failure, "not labelled");
                self.count(&key, failure.kind);
            }
        }
        Ok(())
    }
}

fn unkept(failure: SampleFailure) -> anyhow::Error {
    anyhow::Error::new(failure).context("no memory for features that are kept")
}
