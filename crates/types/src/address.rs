//! Where a sample's randomness is found: every sample of every pass of every run has a place of its own.

use serde::{Deserialize, Serialize};

use crate::key::SampleKey;

/// A training run's seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

/// A pass over the dataset, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);

/// The address of the randomness of one pass of one run. With a sample's key, it decides the sample's crop and flip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Address {
    /// The run's seed.
    pub seed: Seed,
    /// The pass over the dataset.
    pub epoch: Epoch,
}

/// The address of the randomness of one sample.
#[derive(Clone, Copy, Debug)]
pub struct Draws<'a> {
    /// The pass and the run, which the sample shares with others.
    pub address: Address,
    /// The sample's key.
    pub key: &'a SampleKey,
}

// === impl Address ===

impl Address {
    /// The address of the pass `epoch` of the run with this seed.
    pub const fn new(seed: u64, epoch: u64) -> Self {
        Self { seed: Seed(seed), epoch: Epoch(epoch) }
    }
}
