//! Where features come from: storage servers, or a folder that an extraction has filled.

mod folder;

mod plan;
mod watched;

mod servers;

use futures::stream::BoxStream;
use headwater_client::ClientError;
use headwater_infer::LocalError;
use headwater_learn::Runs;
use headwater_pilot::PilotError;
use headwater_types::{ClassId, SampleFailure, SampleIndex, SampleKey};

pub(crate) use folder::FeatureFolder;
pub(crate) use folder::FeatureFolderError;
pub(crate) use plan::{PlanError, read as read_plan};
pub(crate) use servers::{Connected, Servers, Travelled};

use crate::parts::FolderError;
use crate::provenance::Provenance;

/// A sample with its feature, or with the reason why it has none.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arrival {
    pub(crate) index: SampleIndex,
    /// Always there where the outcome is a feature.
    pub(crate) key: Option<SampleKey>,
    pub(crate) label: Option<ClassId>,
    /// f32 `[feature_len]`.
    pub(crate) outcome: Result<Vec<f32>, SampleFailure>,
}

/// Features of some samples, each sample once. An error is the last item.
pub(crate) type Arrivals = BoxStream<'static, Result<Arrival, SourceError>>;

/// Either of the two.
#[derive(Debug)]
pub(crate) enum FeatureSource {
    Servers(Servers),
    Folder(FeatureFolder),
}

/// Why no more features come.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// A server cannot or will not give them.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The plan cannot be followed.
    #[error(transparent)]
    Plan(#[from] Box<PlanError>),
    /// Nothing can be measured, or planned anew.
    #[error(transparent)]
    Pilot(#[from] Box<PilotError>),
    /// Nothing can be inferred here.
    #[error(transparent)]
    Local(#[from] Box<LocalError>),
    /// A task of this program ended before its work.
    #[error("a task of the tuner ended before its work: please report it ({0})")]
    Internal(#[from] tokio::task::JoinError),
    /// The folder cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The folder holds no complete extraction.
    #[error(transparent)]
    Incomplete(#[from] FeatureFolderError),
}

// === impl SourceError ===

impl From<PlanError> for SourceError {
    fn from(error: PlanError) -> Self {
        Self::Plan(error.into())
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

// === impl FeatureSource ===

impl FeatureSource {
    /// What the features are features of.
    pub(crate) fn provenance(&self) -> &Provenance {
        match self {
            Self::Servers(servers) => servers.provenance(),
            Self::Folder(folder) => folder.provenance(),
        }
    }

    /// The features of one run, always in the same order.
    pub(crate) fn run(&self, runs: &Runs, run: u32) -> Result<Arrivals, SourceError> {
        match self {
            Self::Servers(servers) => servers.features(runs.samples(run).collect::<Vec<_>>(), true),
            Self::Folder(folder) => Ok(folder.run(runs.clone(), run)),
        }
    }

    /// The servers, where features come from servers.
    pub(crate) fn servers(&self) -> Option<&Servers> {
        match self {
            Self::Servers(servers) => Some(servers),
            Self::Folder(_) => None,
        }
    }
}
