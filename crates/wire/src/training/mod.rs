//! Heads that are trained on servers: what is prepared, by what is trained, and the weights that travel.

mod begin;
mod prepare;
mod score;
mod steps;
mod weights;

use bytes::Bytes;
use headwater_types::Digest;

use crate::request::digest_from;
use crate::status::Invalid;

pub use begin::{BeginTraining, TrainingBegun};
pub use prepare::{FeatureMoments, PrepareTraining, PreparedFeatures, Split, SplitRule, TrainingSplit};
pub use score::{Scores, WeightScores};
pub use steps::{Steps, Trained};
pub use weights::{Announced, Gathering, PIECE};

/// The name of a training: 16 bytes that the tuner has drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrainingId(pub [u8; 16]);

// === impl TrainingId ===

impl TrainingId {
    /// As it travels.
    pub fn to_bytes(self) -> Bytes {
        self.0.to_vec().into()
    }

    /// As it came.
    ///
    /// # Errors
    /// What is not 16 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Invalid> {
        bytes.try_into().map(Self).map_err(|_| Invalid::new("a training's name is not 16 bytes"))
    }
}

impl std::fmt::Display for TrainingId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn bytes_of(digest: Digest) -> Bytes {
    digest.as_bytes().to_vec().into()
}

fn digest_of(bytes: &[u8], what: &str) -> Result<Digest, Invalid> {
    digest_from(bytes)?.ok_or_else(|| Invalid::new(format!("{what} has no digest")))
}
