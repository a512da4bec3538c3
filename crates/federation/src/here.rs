//! A worker in this process, with features that were brought here: `central`.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use headwater_client::training_calls::{
    Announced, BeginTraining, FeatureMoments, PreparedFeatures, Trained, TrainingBegun, WeightScores,
};
use headwater_client::{Came, ClientError, Order, TrainingError};
use headwater_learn::{FeatureSet, Head, LearnError, LocalOptions, LocalTrainer, Moments, Parameters, Score};
use tokio_util::sync::CancellationToken;

use crate::common::head_of;

/// A worker in this process.
pub struct Here {
    features: PreparedFeatures,
    raw: Mutex<Option<(FeatureSet, FeatureSet)>>,
    begun: Mutex<Option<LocalTrainer>>,
    judge: Mutex<Option<(Head, Arc<FeatureSet>)>>,
}

// === impl Here ===

impl Here {
    /// A worker with these features to train on and kept from training, in the classes of `facts`, whose counts and
    /// moments are set here.
    pub fn new(facts: PreparedFeatures, train: FeatureSet, held_out: FeatureSet) -> Self {
        let mut moments = Moments::new(train.dim());
        train.each(|feature, _| moments.add(feature));
        let mut labels = vec![0; train.classes()];
        train.labels().iter().for_each(|label| labels[label.0 as usize] += 1);
        let (mean, squares) = (moments.mean().to_vec(), moments.squares().to_vec());
        let moments = FeatureMoments { count: moments.count(), mean, squares };
        let features = PreparedFeatures { labels, held_out: held_out.len() as u64, moments, ..facts };
        let raw = Mutex::new(Some((train, held_out)));
        Self { features, raw, begun: Mutex::default(), judge: Mutex::default() }
    }

    /// What it has.
    pub(crate) fn features(&self) -> PreparedFeatures {
        self.features.clone()
    }

    pub(crate) fn begin(&self, begin: &BeginTraining) -> Result<TrainingBegun, TrainingError> {
        let raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (train, held_out) = raw.ok_or_else(|| refused("it has begun before".to_owned()))?;
        let head = head_of(begin, train.dim()).map_err(|error| learn(&error))?;
        let options = LocalOptions {
            learning_rate: begin.learning_rate,
            momentum: begin.momentum,
            batch_size: begin.batch_size as usize,
            seed: begin.seed,
        };
        let weights = head.parameter_count() as u64;
        let trainer = LocalTrainer::new(head.clone(), train, options).map_err(|error| learn(&error))?;
        let steps_per_pass = trainer.steps_per_pass();
        *self.judge.lock().unwrap_or_else(PoisonError::into_inner) = Some((head, Arc::new(held_out)));
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(trainer);
        Ok(TrainingBegun { weights, steps_per_pass })
    }

    /// Takes steps, once earlier ones have ended. Dropping the future ends them.
    pub(crate) async fn train(self: Arc<Self>, order: Order) -> Result<Came, TrainingError> {
        let stop = CancellationToken::new();
        let _ends = stop.clone().drop_guard();
        let since = Instant::now();
        let work = move || self.take_steps(&order, since, &stop);
        tokio::task::spawn_blocking(work).await.map_err(|_| refused("the steps ended badly".to_owned()))?
    }

    fn take_steps(&self, order: &Order, since: Instant, stop: &CancellationToken) -> Result<Came, TrainingError> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let trainer = begun.as_mut().ok_or_else(|| refused("it has not begun".to_owned()))?;
        let (queued, begin) = (since.elapsed(), Instant::now());
        let mut progress = |_| if stop.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let correction = order.correction.as_deref().map(parameters).transpose()?;
        trainer.correct(correction.as_ref()).map_err(|error| learn(&error))?;
        let wanted = (order.first, order.steps, order.onward);
        let lead = trainer.lead(parameters(&order.weights)?, wanted, &mut progress);
        let (way, update) = lead.map_err(|error| learn(&error))?;
        let bytes = way.to_bytes();
        let trained = Trained {
            round: order.round,
            steps: update.steps,
            samples: update.samples,
            loss: update.loss,
            compute: begin.elapsed(),
            queued,
            way: Announced::of(&bytes),
        };
        Ok(Came { trained, way: bytes.into(), exchange: Duration::ZERO })
    }

    pub(crate) async fn score(
        self: Arc<Self>,
        weights: Bytes,
        most: Option<u64>,
    ) -> Result<WeightScores, TrainingError> {
        let work = move || {
            let judge = self.judge.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let (head, samples) = judge.ok_or_else(|| refused("it has not begun".to_owned()))?;
            let score = head.score(&parameters(&weights)?, &samples, most).map_err(|error| learn(&error))?;
            let Score { samples, correct, loss } = score;
            Ok(WeightScores { samples, correct, loss })
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| refused("judging ended badly".to_owned()))?
    }
}

impl std::fmt::Debug for Here {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Here").finish_non_exhaustive()
    }
}

fn parameters(bytes: &[u8]) -> Result<Parameters, TrainingError> {
    Parameters::from_bytes(bytes).ok_or_else(|| refused("weights are numbers of 4 bytes".to_owned()))
}

fn learn(error: &LearnError) -> TrainingError {
    refused(error.to_string())
}

fn refused(why: String) -> TrainingError {
    TrainingError::Refused(ClientError::Internal(why))
}
