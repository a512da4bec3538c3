//! Weights that are judged beside the rounds: no round waits for it, and it takes a small part of the time.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::join_all;
use headwater_client::training_calls::{TrainingId, WeightScores};
use headwater_plan::sync::log::Accuracy;
use tokio::task::JoinHandle;

use crate::crew::{Crew, State};
use crate::place::Place;

/// Weights that are to be judged.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) round: u64,
    pub(crate) version: u64,
    /// When they were there, in seconds since the run's begin.
    pub(crate) at_seconds: f64,
    pub(crate) samples_trained: u64,
    pub(crate) weights: Bytes,
}

/// Judges one candidate at a time.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    under_way: Option<JoinHandle<(Candidate, WeightScores, Duration)>>,
    /// Before this, nothing is judged.
    not_before: Option<Instant>,
    last: Option<Accuracy>,
}

/// Between two judgements lie so many times the length of the last one: workers judge on the cores that take the steps.
const PAUSES: u32 = 3;
/// Samples of each worker by which weights are judged on the way; the last ones are judged by all.
const ON_THE_WAY: u64 = 1000;

// === impl Judge ===

impl Judge {
    /// Whether a candidate would be judged: none is under way, and none was a moment ago.
    pub(crate) fn is_free(&self) -> bool {
        self.under_way.is_none() && self.not_before.is_none_or(|moment| Instant::now() >= moment)
    }

    /// Judges this candidate by some of the samples.
    pub(crate) fn offer(&mut self, candidate: Candidate, crew: &Crew) {
        self.begin(candidate, crew, Some(ON_THE_WAY));
    }

    fn begin(&mut self, candidate: Candidate, crew: &Crew, most: Option<u64>) {
        let judges = crew.members.iter().filter(|member| member.state == State::Ready);
        let judges: Vec<Place> = judges.map(|member| member.place.clone()).collect();
        self.under_way = Some(tokio::spawn(judge(judges, crew.training, candidate, most)));
    }

    /// What has been judged since; `None` where nothing has.
    pub(crate) async fn judged(&mut self) -> Option<Accuracy> {
        match &self.under_way {
            Some(task) if task.is_finished() => self.take().await,
            _ => None,
        }
    }

    /// Judges the last weights, behind what is under way. What both gave.
    pub(crate) async fn finish(&mut self, candidate: Candidate, crew: &Crew) -> Vec<Accuracy> {
        let earlier = self.take().await;
        self.begin(candidate, crew, None);
        let last = self.take().await;
        earlier.into_iter().chain(last).collect()
    }

    /// The last accuracy.
    pub(crate) fn last(&self) -> Option<&Accuracy> {
        self.last.as_ref()
    }

    async fn take(&mut self) -> Option<Accuracy> {
        let (candidate, scores, took) = self.under_way.take()?.await.ok()?;
        self.not_before = Some(Instant::now() + took * PAUSES);
        if scores.samples == 0 {
            return None;
        }
        let Candidate { round, version, at_seconds, samples_trained, .. } = candidate;
        let samples = scores.samples as f64;
        let accuracy = Accuracy {
            round,
            version,
            at_seconds,
            samples_trained,
            top1: scores.correct as f64 / samples,
            loss: Some(scores.loss / samples),
            samples: scores.samples,
        };
        self.last = Some(accuracy.clone());
        Some(accuracy)
    }
}

async fn judge(
    judges: Vec<Place>,
    training: TrainingId,
    candidate: Candidate,
    most: Option<u64>,
) -> (Candidate, WeightScores, Duration) {
    let begin = Instant::now();
    let scores = join_all(judges.iter().map(|place| place.score(training, &candidate.weights, most))).await;
    let sum = scores.into_iter().zip(&judges).fold(WeightScores::default(), |sum, (scores, place)| match scores {
        Ok(scores) => sum.and(scores),
        Err(why) => {
            tracing::debug!(worker = place.name(), %why, "a worker has not judged: its samples are missing");
            sum
        }
    });
    (candidate, sum, begin.elapsed())
}
