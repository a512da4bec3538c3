//! What came of a run.

use headwater_client::training_calls::PreparedFeatures;
use headwater_learn::Head;
use headwater_plan::sync::Average;
use headwater_plan::sync::log::Accuracy;

/// What came of a run.
#[derive(Debug)]
pub struct Federated {
    /// The head.
    pub head: Head,
    /// Its classes.
    pub classes: Vec<String>,
    /// The workers, in the order of their places.
    pub workers: Vec<FederatedWorker>,
    /// Rounds in all, those before a resume included.
    pub rounds: u64,
    /// Changes of the weights.
    pub version: u64,
    /// Samples that were trained on, each as often as it came.
    pub samples_trained: u64,
    /// How the last weights did; `None` where nothing was kept from training.
    pub accuracy: Option<Accuracy>,
    /// How ways were averaged.
    pub average: Average,
    /// The round after which it went on; `None` where it began here.
    pub resumed_from: Option<u64>,
    /// Seconds from the first round to the last.
    pub seconds: f64,
}

/// A worker of a run.
#[derive(Debug)]
pub struct FederatedWorker {
    /// What it is called.
    pub name: String,
    /// What it had; `None` where it never came.
    pub features: Option<PreparedFeatures>,
    /// Steps of it that are in the weights.
    pub steps: u64,
    /// Why it takes no part at the end; `None` where it does.
    pub away: Option<String>,
}
