//! Why a dataset cannot be profiled, or an epoch not be piloted.

use headwater_client::ClientError;
use headwater_plan::{PlanningError, ProfileError};
use headwater_types::DatasetName;

/// Why the pilot cannot go on.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PilotError {
    /// The servers could not be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Nothing to measure.
    #[error("the dataset has no samples: there is nothing to measure")]
    Empty,
    /// Nothing could be measured.
    #[error("not one of {tried} samples could be decoded, the first because {first}: see that --data holds photos")]
    NothingDecoded {
        /// So many were tried.
        tried: usize,
        /// What was wrong with the first.
        first: String,
    },
    /// What was measured makes no profile.
    #[error("what was measured makes no profile")]
    Profile(#[from] ProfileError),
    /// There is no plan.
    #[error(transparent)]
    Planning(#[from] PlanningError),
    /// A plan for other samples.
    #[error("the plan is for {planned} samples, and the dataset has {served}: plan for this dataset")]
    PlannedSamples {
        /// Those of the plan.
        planned: usize,
        /// Those that are there.
        served: u64,
    },
    /// A plan for another dataset than this.
    #[error("the plan is for another dataset, or for these servers in another order: profile {0} and plan for it")]
    PlannedDataset(DatasetName),
    /// A plan for another recipe.
    #[error("the plan is for the recipe {planned}, and not for this {used}: plan for the recipe that is used")]
    PlannedRecipe {
        /// That of the plan.
        planned: String,
        /// That which is asked for.
        used: String,
    },
    /// Threads cannot be started.
    #[error("cannot start the threads that finish recipes: {0}")]
    Threads(String),
    /// A fault of this program.
    #[error("a part of the measurement ended before its work: please report it ({0})")]
    Internal(String),
}
