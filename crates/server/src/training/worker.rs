//! One training on this server, from its first word to its last.

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, PoisonError};

use headwater_cli::exit::in_one_line;
use headwater_features::Extractor;
use headwater_learn::{FeatureSet, Head, HeadKind, LearnError, LocalOptions, LocalTrainer, Moments, Parameters, Score};
use headwater_types::ClassId;
use headwater_wire::status::Refusal;
use headwater_wire::training::{
    BeginTraining, PrepareTraining, PreparedFeatures, Steps, TrainingBegun, TrainingId, WeightScores,
};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::begun::{Begun, Done};
use super::dealt::deal;
use super::gathered::{Gathered, memory_of};
use super::gathering::Gathering;
use super::memory::{Held, TrainingMemory};
use crate::offer::Offer;

/// How far a worker is before its first step.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// Features are being gathered: how many samples have had their turn, of how many.
    Gathering(u64, u64),
    /// They are there.
    Ready(Arc<PreparedFeatures>),
    /// They cannot be had.
    Failed(String),
}

/// One training on this server.
pub(crate) struct Worker {
    pub(super) prepare: PrepareTraining,
    stage: watch::Sender<Stage>,
    /// When something was last heard of it, and how many calls are under way.
    heard: Mutex<(Instant, usize)>,
    features: Mutex<Option<Features>>,
    begun: Arc<tokio::sync::Mutex<Option<Begun>>>,
    asked: Mutex<Option<(BeginTraining, TrainingBegun)>>,
    judge: Mutex<Option<(Head, Arc<FeatureSet>)>>,
    memory: Mutex<Option<Held>>,
}

/// Features that nobody trains on yet.
struct Features {
    train: FeatureSet,
    held_out: FeatureSet,
    classes: Vec<String>,
}

/// A call of a training is under way until this is dropped.
pub(crate) struct UnderWay(Arc<Worker>);

// === impl Worker ===

impl Worker {
    pub(super) fn new(prepare: PrepareTraining) -> Self {
        Self {
            prepare,
            stage: watch::Sender::new(Stage::Gathering(0, 0)),
            heard: Mutex::new((Instant::now(), 0)),
            features: Mutex::default(),
            begun: Arc::default(),
            asked: Mutex::default(),
            judge: Mutex::default(),
            memory: Mutex::default(),
        }
    }

    /// Hears how far it is.
    pub(crate) fn follow(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    /// A call begins.
    pub(crate) fn hear(self: &Arc<Self>) -> UnderWay {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        *heard = (Instant::now(), heard.1 + 1);
        UnderWay(Arc::clone(self))
    }

    /// Since when nothing was heard of it; `None` while a call is under way.
    pub(super) fn silent_since(&self) -> Option<Instant> {
        let (since, calls) = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        (calls == 0).then_some(since)
    }

    /// Gathers the features. What keeps it from that is told as its stage.
    pub(super) async fn gather(
        &self,
        (offer, extractor): (Arc<Offer>, Arc<Extractor>),
        memory: &TrainingMemory,
        (instance, slowdown): ([u8; 16], f64),
    ) {
        let (dealt, unlabelled) = deal(offer.generation.catalog(), &self.prepare);
        let samples = dealt.len() as u64;
        let held = match memory.take(memory_of(dealt.len(), &extractor)) {
            Ok(held) => held,
            Err(refusal) => return drop(self.stage.send_replace(Stage::Failed(refusal.to_string()))),
        };
        let catalog = offer.generation.catalog();
        let classes = catalog.classes().to_vec();
        let mut gathered = Gathered::new(extractor.feature_len(), classes.len(), held);
        let drawn = offer.house.resources.background();
        let gathering = Gathering { offer: Arc::clone(&offer), extractor: Arc::clone(&extractor), drawn };
        let told = |done| drop(self.stage.send_replace(Stage::Gathering(done, samples)));
        if let Err(error) = gathering.run(&dealt, &mut gathered, told).await {
            return drop(self.stage.send_replace(Stage::Failed(in_one_line(&error))));
        }
        let facts = PreparedFeatures {
            instance,
            part: (offer.served.part.number(), offer.served.part.count()),
            dataset_digest: catalog.digest(),
            classes: classes.clone(),
            labels: gathered.labels.clone(),
            held_out: gathered.held_out.len() as u64,
            unlabelled,
            failed: gathered.failed.told(),
            model_digest: extractor.digest(),
            recipe_digest: extractor.recipe().digest(),
            output: extractor.output().to_owned(),
            feature_len: extractor.feature_len(),
            moments: gathered.moments(),
            slowdown,
        };
        let failed: u64 = facts.failed.iter().map(|failures| failures.count).sum();
        let Gathered { train, held_out, held, .. } = gathered;
        tracing::info!(
            training = %self.prepare.training, dataset = %self.prepare.dataset, model = %self.prepare.model,
            samples = train.len(), held_out = held_out.len(), failed, unlabelled, "features are ready to be trained on"
        );
        *self.memory.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
        *self.features.lock().unwrap_or_else(PoisonError::into_inner) = Some(Features { train, held_out, classes });
        self.stage.send_replace(Stage::Ready(Arc::new(facts)));
    }

    /// Makes ready for steps. Blocks.
    ///
    /// # Errors
    /// A training that is not prepared, that has begun otherwise, or that cannot be.
    pub(crate) fn begin(&self, begin: &BeginTraining, slowdown: f64) -> Result<TrainingBegun, Refusal> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((earlier, begun)) = &*asked {
            return match earlier == begin {
                true => Ok(*begun),
                false => Err(not_trained("this training has begun with other settings: begin one of another name")),
            };
        }
        let mut features = self.features.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = features.as_ref().ok_or_else(|| not_trained("this training is not prepared yet"))?;
        let mut map = Vec::with_capacity(ready.classes.len());
        for name in &ready.classes {
            let place = begin.classes.iter().position(|class| class == name);
            let unknown = || not_trained(format!("the class {name:?} is none of those that the training has"));
            map.push(ClassId(place.ok_or_else(unknown)? as u32));
        }
        let head = head_of(begin, ready.train.dim())?;
        let options = LocalOptions {
            learning_rate: begin.learning_rate,
            momentum: begin.momentum,
            batch_size: begin.batch_size as usize,
            seed: begin.seed,
        };
        options.check().map_err(|error| refused(&error))?;
        if ready.train.is_empty() {
            return Err(refused(&LearnError::NoSamples));
        }
        let Some(Features { train, held_out, .. }) = features.take() else {
            return Err(not_trained("this training is not prepared yet"));
        };
        let relabel = |set: FeatureSet| set.relabelled(&map, begin.classes.len()).map_err(|error| refused(&error));
        let (train, held_out) = (relabel(train)?, relabel(held_out)?);
        let weights = head.parameter_count() as u64;
        let trainer = LocalTrainer::new(head.clone(), train, options).map_err(|error| refused(&error))?;
        let begun = TrainingBegun { weights, steps_per_pass: trainer.steps_per_pass() };
        *self.judge.lock().unwrap_or_else(PoisonError::into_inner) = Some((head, Arc::new(held_out)));
        // Nobody trains yet.
        if let Ok(mut place) = self.begun.try_lock() {
            *place = Some(Begun { trainer, slowdown });
        }
        *asked = Some((begin.clone(), begun));
        Ok(begun)
    }

    /// Takes steps, once earlier ones have ended.
    ///
    /// # Errors
    /// Weights of another head, steps that diverge, and a training that has not begun.
    pub(crate) async fn train(
        &self,
        steps: Steps,
        weights: (Parameters, Option<Parameters>),
        done: Arc<AtomicU32>,
        stop: CancellationToken,
    ) -> Result<Done, Refusal> {
        let since = Instant::now();
        let mut begun = Arc::clone(&self.begun).lock_owned().await;
        let queued = since.elapsed();
        let work = move || match begun.as_mut() {
            Some(begun) => begun.train(&steps, weights, (queued, &done), &stop).map_err(|error| refused(&error)),
            None => Err(not_trained("this training has not begun: prepare and begin it first")),
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|_| Err(not_trained("the steps ended badly: please report it")))
    }

    /// Judges weights by what is kept from training, or by so many samples of that. Blocks.
    ///
    /// # Errors
    /// Weights of another head, and a training that has not begun.
    pub(crate) fn score(&self, weights: &Parameters, most: Option<u64>) -> Result<WeightScores, Refusal> {
        let judge = self.judge.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (head, samples) = judge.ok_or_else(|| not_trained("this training has not begun"))?;
        let Score { samples, correct, loss } = head.score(weights, &samples, most).map_err(|error| refused(&error))?;
        Ok(WeightScores { samples, correct, loss })
    }

    pub(super) fn id(&self) -> TrainingId {
        self.prepare.training
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut heard = self.0.heard.lock().unwrap_or_else(PoisonError::into_inner);
        *heard = (Instant::now(), heard.1.saturating_sub(1));
    }
}

/// The head of a training, which standardises as all its servers do.
fn head_of(begin: &BeginTraining, dim: usize) -> Result<Head, Refusal> {
    let kind = HeadKind::of_hidden(begin.hidden);
    let mut head = Head::new(kind, dim, begin.classes.len(), begin.seed).map_err(|error| refused(&error))?;
    let moments = begin.moments.clone();
    let moments = Moments::from_parts(moments.count, moments.mean, moments.squares);
    let moments = moments.ok_or_else(|| not_trained("these are no moments of features"))?;
    head.standardize(&moments).map_err(|error| refused(&error))?;
    Ok(head)
}

fn not_trained(message: impl Into<String>) -> Refusal {
    Refusal::NotTrained { message: message.into() }
}

fn refused(error: &LearnError) -> Refusal {
    not_trained(error.to_string())
}
