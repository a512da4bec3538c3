//! Why features do not come, or do not get into their folder.

use std::error::Error as _;
use std::io;
use std::path::PathBuf;

use headwater_client::ClientError;
use headwater_infer::LocalError;
use headwater_pilot::PilotError;
use headwater_plan::PlanFileError;
use headwater_plan::partition::PartitionError;
use headwater_tables::features::{FolderError, Misdelivery};
use headwater_tables::network::NetworkReadError;
use headwater_tables::plan::PlanReadError;
use headwater_types::{ModelName, NetworkCut, SampleIndex};

/// Why a plan cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The file of the plan cannot be read.
    #[error("--plan: cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the file system.
        error: io::Error,
    },
    /// The file is not a plan.
    #[error("--plan: {} is not a plan: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<PlanFileError>,
    },
    /// The plan is for another dataset, recipe or model.
    #[error("--plan {}: {error}", path.display())]
    For {
        /// The file.
        path: PathBuf,
        /// What the plan is for.
        error: Box<PilotError>,
    },
    /// Samples come as pixels, and no extractor was given to infer them here.
    #[error(
        "by --plan {} {pixels} of {samples} samples come as pixels, to be inferred here: give --extractor FILE.onnx, \
         the file of \
         the model {model} that the servers have registered",
        path.display()
    )]
    NoExtractor {
        /// The plan.
        path: PathBuf,
        /// Samples that come as pixels.
        pixels: usize,
        /// All samples.
        samples: usize,
        /// The model.
        model: ModelName,
    },
    /// No extractor was given, so that a plan would have nothing to choose.
    #[error(
        "--plan auto chooses between the servers and this machine for each sample: give --extractor FILE.onnx, the \
         file of the \
         model {0} that the servers have registered"
    )]
    NothingToChoose(ModelName),
}

/// Why a network cannot be split as it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// Nothing is here that could run the back.
    #[error(
        "a network that is split runs its back here: give --extractor FILE.onnx, the file of the model {0} that the \
         servers have registered"
    )]
    NoExtractor(ModelName),
    /// The profile cannot be read.
    #[error("--split-by: {source}{}", source.source().map(|why| format!(": {why}")).unwrap_or_default())]
    Profile {
        /// What is wrong.
        source: NetworkReadError,
    },
    /// The profile is of another model, recipe or output.
    #[error(
        "--split-by {}: it is of the {what} {profiled}, and the servers' model {model} has {served}: profile the file \
         that they have registered, with its recipe and output (profiler model)",
        path.display()
    )]
    OtherModel {
        /// The profile.
        path: PathBuf,
        /// What differs.
        what: &'static str,
        /// What the profile is of.
        profiled: String,
        /// The model.
        model: ModelName,
        /// What the model has.
        served: String,
    },
    /// No cut can be used.
    #[error("--split-by: {0}")]
    Plan(#[from] PartitionError),
    /// The profile has a cut that is none.
    #[error("--split-by: its cut {0:?} is none: profile the model anew (profiler model)")]
    NoCut(String),
    /// Servers and this machine disagree about a cut.
    #[error(
        "at the cut {cut} the servers give {servers} numbers, and the back takes {here} here: please report it, with \
         the model"
    )]
    Elements {
        /// The cut.
        cut: NetworkCut,
        /// What the servers give.
        servers: usize,
        /// What is taken here.
        here: usize,
    },
}

/// Why no more features come.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A server cannot give features, or refuses to.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The plan cannot be followed.
    #[error(transparent)]
    Plan(#[from] Box<PlanError>),
    /// Nothing can be measured, or planned anew.
    #[error(transparent)]
    Pilot(#[from] Box<PilotError>),
    /// The network cannot be split so.
    #[error(transparent)]
    Split(#[from] Box<SplitError>),
    /// Nothing can be inferred here.
    #[error(transparent)]
    Local(#[from] Box<LocalError>),
    /// A task of this program ended before its work was done.
    #[error("a task of the tuner ended before its work: please report it ({0})")]
    Internal(#[from] tokio::task::JoinError),
    /// The folder cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
}

/// Why an extraction ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// No more features come.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The output folder cannot be used.
    #[error("{0}")]
    Folder(#[from] FolderError),
    /// What came is not what was asked for.
    #[error(transparent)]
    Misdelivery(#[from] Misdelivery),
    /// The servers ended without an error and without all samples.
    #[error("sample {0} was never delivered: please report it")]
    Missing(SampleIndex),
    /// The extraction was asked to stop.
    #[error("stopped before the end")]
    Stopped,
    /// A task of this program ended before its work was done.
    #[error("a task of the tuner ended before its work: please report it ({0})")]
    Internal(#[from] tokio::task::JoinError),
}

// === impl PlanError ===

impl From<PlanReadError> for PlanError {
    fn from(error: PlanReadError) -> Self {
        match error {
            PlanReadError::Read { path, source } => Self::Read { path, error: source },
            PlanReadError::Form { path, source } => Self::File { path, error: source },
        }
    }
}

// === impl SourceError ===

impl From<PlanError> for SourceError {
    fn from(error: PlanError) -> Self {
        Self::Plan(error.into())
    }
}

impl From<SplitError> for SourceError {
    fn from(error: SplitError) -> Self {
        Self::Split(error.into())
    }
}

impl From<PilotError> for SourceError {
    fn from(error: PilotError) -> Self {
        Self::Pilot(error.into())
    }
}

impl From<LocalError> for SourceError {
    fn from(error: LocalError) -> Self {
        Self::Local(error.into())
    }
}
