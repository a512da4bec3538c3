//! Why an epoch was not run, or its report cannot be read.

use std::io;
use std::path::PathBuf;

use headwater_client::ClientError;
use headwater_pilot::PilotError;
use headwater_plan::PlanningError;

/// Most bytes of an epoch's report: its lists are short, but for the changes of plan.
pub(crate) const MAX_REPORT_BYTES: u64 = 16 << 20;

/// Why an epoch did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum EpochError {
    /// The servers cannot be asked, or samples do not come.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Nothing can be measured before the epoch, or planned anew on its way.
    #[error(transparent)]
    Pilot(#[from] Box<PilotError>),
    /// Nothing can be planned from the profile.
    #[error(transparent)]
    Planning(#[from] PlanningError),
    /// The plan is for another dataset, recipe or model.
    #[error("--mode plan {}", path.display())]
    Plan {
        /// The file of the plan.
        path: PathBuf,
        /// What the plan is for.
        source: Box<PilotError>,
    },
    /// The mode names a plan, and no plan was given.
    #[error("--mode {0} is no mode")]
    NoPlan(String),
    /// The profile is of another dataset.
    #[error(
        "--profile is of another dataset, or of these servers in another order: profile this one (profiler dataset)"
    )]
    OtherDataset,
    /// The profile is for the features of a model.
    #[error(
        "--profile is for features of the model {model}, and an epoch streams tensors: profile without --model, or \
         follow a plan of \
         it with tuner"
    )]
    ForFeatures {
        /// The model.
        model: String,
    },
    /// The profile is of another recipe.
    #[error("--profile is of the recipe {theirs}, and not of this {ours}: profile this one (profiler dataset)")]
    OtherRecipe {
        /// The recipe of the profile.
        theirs: String,
        /// The recipe of the epoch.
        ours: String,
    },
    /// The threads that finish recipes cannot be started.
    #[error("cannot start the threads that finish recipes")]
    Threads(#[source] io::Error),
    /// A task of this program ended before its work was done.
    #[error("a task of the epoch ended before its work: please report it ({0})")]
    Internal(#[from] tokio::task::JoinError),
}

/// Why an epoch's report cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EpochFileError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: String,
        /// The error of the file system.
        source: io::Error,
    },
    /// The file is too long for a report.
    #[error("{path} is no report of an epoch: it has more than {MAX_REPORT_BYTES} bytes")]
    TooLong {
        /// The file.
        path: String,
    },
    /// The file is something else.
    #[error("{path} is no report of an epoch (profiler epoch --json): {source}")]
    Form {
        /// The file.
        path: String,
        /// What is wrong with it, and where.
        source: serde_json::Error,
    },
}

// === impl EpochError ===

impl From<PilotError> for EpochError {
    fn from(error: PilotError) -> Self {
        Self::Pilot(error.into())
    }
}
