//! Weights that are to be judged, and how they did.

use super::{Announced, TrainingId, bytes_of};
use crate::proto;
use crate::status::Invalid;

/// Weights that are to be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scores {
    /// The training's name.
    pub training: TrainingId,
    /// The weights that come.
    pub weights: Announced,
    /// Most samples to judge by; `None` for all.
    pub most: Option<u64>,
}

/// How weights did on the samples that a server keeps from training.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WeightScores {
    /// These samples.
    pub samples: u64,
    /// Those whose class has the largest logit.
    pub correct: u64,
    /// Sum of their cross-entropies, in nats.
    pub loss: f64,
}

// === impl WeightScores ===

impl WeightScores {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            samples: self.samples + other.samples,
            correct: self.correct + other.correct,
            loss: self.loss + other.loss,
        }
    }
}

impl From<Scores> for proto::ScoreHead {
    fn from(Scores { training, weights, most }: Scores) -> Self {
        let Announced { length, digest } = weights;
        let (length, digest) = (length as u64, bytes_of(digest));
        Self { training: training.to_bytes(), length, digest, most: most.unwrap_or(0) }
    }
}

impl TryFrom<proto::ScoreHead> for Scores {
    type Error = Invalid;

    fn try_from(head: proto::ScoreHead) -> Result<Self, Invalid> {
        let weights = Announced::read(head.length, &head.digest)?;
        let most = Some(head.most).filter(|most| *most > 0);
        Ok(Self { training: TrainingId::from_bytes(&head.training)?, weights, most })
    }
}

impl From<WeightScores> for proto::WeightScores {
    fn from(WeightScores { samples, correct, loss }: WeightScores) -> Self {
        Self { samples, correct, loss }
    }
}

impl TryFrom<proto::WeightScores> for WeightScores {
    type Error = Invalid;

    fn try_from(scores: proto::WeightScores) -> Result<Self, Invalid> {
        let proto::WeightScores { samples, correct, loss } = scores;
        match correct <= samples && loss.is_finite() {
            true => Ok(Self { samples, correct, loss }),
            false => Err(Invalid::new(format!("{correct} of {samples} samples cannot be right at a loss of {loss}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_survive_the_wire_and_those_that_cannot_be_are_refused() {
        let scores = Scores { training: TrainingId([7; 16]), weights: Announced::of(&[0; 8]), most: Some(5) };
        assert_eq!(Scores::try_from(proto::ScoreHead::from(scores)), Ok(scores));
        let result = WeightScores { samples: 9, correct: 7, loss: 1.5 };
        let sent = proto::WeightScores::from(result);
        assert_eq!(WeightScores::try_from(sent), Ok(result));
        assert!(WeightScores::try_from(proto::WeightScores { correct: 10, ..sent }).is_err());
        assert!(WeightScores::try_from(proto::WeightScores { loss: f64::NAN, ..sent }).is_err());
        assert_eq!(result.and(result), WeightScores { samples: 18, correct: 14, loss: 3.0 });
    }
}
