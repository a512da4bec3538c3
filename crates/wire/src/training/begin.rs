//! By what a server is to train.

use headwater_types::Seed;
use headwater_types::caps::MAX_CLASSES;

use super::{FeatureMoments, TrainingId};
use crate::proto;
use crate::status::Invalid;

/// By what a server is to train.
#[derive(Clone, Debug, PartialEq)]
pub struct BeginTraining {
    /// The training's name.
    pub training: TrainingId,
    /// The classes of all servers, in the order of the head's outputs.
    pub classes: Vec<String>,
    /// Of the features of all servers: by these they are standardised.
    pub moments: FeatureMoments,
    /// Units of the hidden layer; `None` for softmax regression.
    pub hidden: Option<u32>,
    /// The learning rate of each step.
    pub learning_rate: f32,
    /// How much of the last step's velocity the next one keeps.
    pub momentum: f32,
    /// Features of a step.
    pub batch_size: u32,
    /// Of the order of the features.
    pub seed: Seed,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainingBegun {
    /// Numbers of the head's weights.
    pub weights: u64,
    /// Steps of one pass over the features.
    pub steps_per_pass: u64,
}

impl From<BeginTraining> for proto::BeginTrainingRequest {
    fn from(begin: BeginTraining) -> Self {
        Self {
            training: begin.training.to_bytes(),
            classes: begin.classes,
            moments: Some(begin.moments.into()),
            hidden: begin.hidden.unwrap_or(0),
            learning_rate: begin.learning_rate,
            momentum: begin.momentum,
            batch_size: begin.batch_size,
            seed: begin.seed.0,
        }
    }
}

impl TryFrom<proto::BeginTrainingRequest> for BeginTraining {
    type Error = Invalid;

    fn try_from(request: proto::BeginTrainingRequest) -> Result<Self, Invalid> {
        if request.classes.len() > MAX_CLASSES {
            return Err(Invalid::new(format!("{} classes are more than {MAX_CLASSES}", request.classes.len())));
        }
        Ok(Self {
            training: TrainingId::from_bytes(&request.training)?,
            classes: request.classes,
            moments: request.moments.unwrap_or_default().try_into()?,
            hidden: Some(request.hidden).filter(|hidden| *hidden > 0),
            learning_rate: request.learning_rate,
            momentum: request.momentum,
            batch_size: request.batch_size,
            seed: Seed(request.seed),
        })
    }
}

impl From<TrainingBegun> for proto::TrainingBegun {
    fn from(TrainingBegun { weights, steps_per_pass }: TrainingBegun) -> Self {
        Self { weights, steps_per_pass }
    }
}

impl From<proto::TrainingBegun> for TrainingBegun {
    fn from(proto::TrainingBegun { weights, steps_per_pass }: proto::TrainingBegun) -> Self {
        Self { weights, steps_per_pass }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_what_is_trained_survives_the_wire() {
        let begin = BeginTraining {
            training: TrainingId([7; 16]),
            classes: vec!["a".to_owned(), "b".to_owned()],
            moments: FeatureMoments { count: 1, mean: vec![1.0], squares: vec![0.0] },
            hidden: Some(32),
            learning_rate: 0.1,
            momentum: 0.9,
            batch_size: 64,
            seed: Seed(9),
        };
        for sent in [begin.clone(), BeginTraining { hidden: None, ..begin }] {
            assert_eq!(BeginTraining::try_from(proto::BeginTrainingRequest::from(sent.clone())), Ok(sent));
        }
        let begun = TrainingBegun { weights: 7850, steps_per_pass: 125 };
        assert_eq!(TrainingBegun::from(proto::TrainingBegun::from(begun)), begun);
    }
}
