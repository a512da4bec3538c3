//! A plan: for each sample of a dataset the way in which it travels, with what it was made from and what it predicts.
//!
//! Invariant: every choice names one of the plan's ways. What may follow a plan is for its user to check: the digests
//! of the dataset, the recipe and the model are in [`Inputs`].

mod error;
mod head;
mod runs;
mod text;

mod export;

pub use error::PlanFileError;
pub use export::NoSophonNumber;

use headwater_types::{DatasetName, Digest, Epoch, ModelName, Seed, Way};
use serde::{Deserialize, Serialize};

use crate::algorithm::Algorithm;
use crate::prediction::Prediction;
use crate::profile::Server;
use crate::provenance::Source;
use crate::resources::Resources;

/// For each sample of a dataset the way in which it travels.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The algorithm that chose the ways.
    pub algorithm: Algorithm,
    /// The profile, the data and the resources that the plan was made from.
    pub inputs: Inputs,
    /// What the plan promises: seconds of each resource, and of the epoch.
    pub prediction: Prediction,
    ways: Vec<Way>,
    choices: Vec<u8>,
}

/// What a plan was made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// The profile's digest.
    pub profile: Digest,
    /// How the profile's numbers were had.
    pub source: Source,
    /// The dataset's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<DatasetName>,
    /// The dataset's digest, over the partitions in the order of the servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset_digest: Option<Digest>,
    /// The recipe's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    /// The recipe's digest: whoever follows the plan with another recipe gets other bytes and seconds than it promises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe_digest: Option<Digest>,
    /// The model whose features samples become; `None` where they become tensors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// The model's digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_digest: Option<Digest>,
    /// The seed of the profile's crops.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::provenance::seed_text")]
    pub seed: Option<Seed>,
    /// The epoch of the profile's crops.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
    /// The ways that were allowed.
    pub allowed: Vec<Way>,
    /// What the epoch may use: what there is, without what was reserved for others.
    pub resources: Resources,
    /// The servers, in the order of their samples.
    pub servers: Vec<Server>,
}

/// The choices are not a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a plan's ways must each be there once, and every choice be one of them")]
pub struct PlanError;

// === impl Plan ===

impl Plan {
    /// A plan in which sample `i` travels by `ways[choices[i]]`.
    ///
    /// # Errors
    /// [`PlanError`] where a way is there twice or a choice names none.
    pub fn new(
        algorithm: Algorithm,
        inputs: Inputs,
        prediction: Prediction,
        ways: Vec<Way>,
        choices: Vec<u8>,
    ) -> Result<Self, PlanError> {
        let unique = ways.iter().enumerate().all(|(place, way)| !ways[..place].contains(way));
        let known = choices.iter().all(|&choice| usize::from(choice) < ways.len());
        (unique && known).then_some(Self { algorithm, inputs, prediction, ways, choices }).ok_or(PlanError)
    }

    /// The plan of a planner's choices, each of which is a position among the profile's ways.
    pub(crate) fn of_profile(
        algorithm: Algorithm,
        inputs: Inputs,
        prediction: Prediction,
        ways: Vec<Way>,
        choices: Vec<u8>,
    ) -> Self {
        debug_assert!(choices.iter().all(|&choice| usize::from(choice) < ways.len()));
        Self { algorithm, inputs, prediction, ways, choices }
    }

    /// The number of samples.
    pub fn len(&self) -> usize {
        self.choices.len()
    }

    /// Whether the plan is for no samples.
    pub fn is_empty(&self) -> bool {
        self.choices.is_empty()
    }

    /// The ways that choices are positions of.
    pub fn ways(&self) -> &[Way] {
        &self.ways
    }

    /// For each sample the position of its way among [`ways`](Self::ways).
    pub fn choices(&self) -> &[u8] {
        &self.choices
    }

    /// The way of sample `index`; `None` past the end.
    pub fn way(&self, index: usize) -> Option<Way> {
        self.choices.get(index).map(|&choice| self.ways[usize::from(choice)])
    }

    /// Every sample's way, in order.
    pub fn iter(&self) -> impl Iterator<Item = Way> + '_ {
        self.choices.iter().map(|&choice| self.ways[usize::from(choice)])
    }

    /// How many samples travel by each way, in the order of the ways; those that none travels by are left out.
    pub fn counts(&self) -> Vec<(Way, u64)> {
        let mut counts = vec![0; self.ways.len()];
        for &choice in &self.choices {
            counts[usize::from(choice)] += 1;
        }
        let mut counts: Vec<_> = self.ways.iter().copied().zip(counts).filter(|(_, count)| *count > 0).collect();
        counts.sort_unstable();
        counts
    }
}

impl PartialEq for Plan {
    /// Plans are equal where every sample travels alike, in whatever order the ways stand.
    fn eq(&self, other: &Self) -> bool {
        let head = |plan: &Self| (plan.algorithm, plan.inputs.clone(), plan.prediction.clone());
        self.len() == other.len() && head(self) == head(other) && self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests;
