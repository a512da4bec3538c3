//! Some steps of a worker: what it is to do, and how far it came.

use std::time::Duration;

use super::{Announced, TrainingId, bytes_of};
use crate::proto;
use crate::status::Invalid;

/// Steps that a worker is to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// The training's name.
    pub training: TrainingId,
    /// The round that they belong to.
    pub round: u64,
    /// The worker's steps before these.
    pub first: u64,
    /// How many.
    pub steps: u32,
    /// Whether they begin where the last ones led, seen from the weights that come.
    pub onward: bool,
    /// Whether a correction of as many numbers comes behind the weights: what is added to the gradient of each step.
    pub corrected: bool,
    /// The weights that come, and their correction.
    pub weights: Announced,
}

/// Steps that a worker has taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trained {
    /// The round that they belong to.
    pub round: u64,
    /// How many.
    pub steps: u32,
    /// Samples that were trained on, each as often as it came.
    pub samples: u64,
    /// Their mean loss, in nats.
    pub loss: f64,
    /// How long the steps took.
    pub compute: Duration,
    /// How long they waited for the training's earlier steps.
    pub queued: Duration,
    /// The way that comes.
    pub way: Announced,
}

impl From<Steps> for proto::TrainHead {
    fn from(steps: Steps) -> Self {
        Self {
            training: steps.training.to_bytes(),
            round: steps.round,
            first_step: steps.first,
            steps: steps.steps,
            onward: steps.onward,
            length: steps.weights.length as u64,
            digest: bytes_of(steps.weights.digest),
            corrected: steps.corrected,
        }
    }
}

impl TryFrom<proto::TrainHead> for Steps {
    type Error = Invalid;

    fn try_from(head: proto::TrainHead) -> Result<Self, Invalid> {
        if head.steps == 0 {
            return Err(Invalid::new("no steps are asked for: at least 1"));
        }
        Ok(Self {
            training: TrainingId::from_bytes(&head.training)?,
            round: head.round,
            first: head.first_step,
            steps: head.steps,
            onward: head.onward,
            corrected: head.corrected,
            weights: Announced::read_rows(head.length, &head.digest, if head.corrected { 2 } else { 1 })?,
        })
    }
}

impl From<Trained> for proto::TrainedHead {
    fn from(trained: Trained) -> Self {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Self {
            round: trained.round,
            steps: trained.steps,
            samples: trained.samples,
            loss: trained.loss,
            compute_micros: micros(trained.compute),
            queued_micros: micros(trained.queued),
            length: trained.way.length as u64,
            digest: bytes_of(trained.way.digest),
        }
    }
}

impl TryFrom<proto::TrainedHead> for Trained {
    type Error = Invalid;

    fn try_from(head: proto::TrainedHead) -> Result<Self, Invalid> {
        Ok(Self {
            round: head.round,
            steps: head.steps,
            samples: head.samples,
            loss: head.loss,
            compute: Duration::from_micros(head.compute_micros),
            queued: Duration::from_micros(head.queued_micros),
            way: Announced::read(head.length, &head.digest)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_survive_the_wire_and_none_are_refused() {
        let weights = Announced::of(&[0; 8]);
        let (training, corrected) = (TrainingId([7; 16]), true);
        let steps = Steps { training, round: 2, first: 9, steps: 3, onward: true, corrected, weights };
        let sent = proto::TrainHead::from(steps);
        assert_eq!(Steps::try_from(sent.clone()), Ok(steps));
        assert!(Steps::try_from(proto::TrainHead { steps: 0, ..sent }).is_err());
        let trained = Trained {
            round: 2,
            steps: 3,
            samples: 192,
            loss: 0.5,
            compute: Duration::from_micros(77),
            queued: Duration::ZERO,
            way: weights,
        };
        assert_eq!(Trained::try_from(proto::TrainedHead::from(trained)), Ok(trained));
    }
}
