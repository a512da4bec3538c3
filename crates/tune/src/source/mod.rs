//! Where features come from: storage servers, or a folder that an extraction has filled.

mod plan;
mod watched;

mod servers;

use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use headwater_client::ClientError;
use headwater_infer::LocalError;
use headwater_learn::Runs;
use headwater_pilot::PilotError;
use headwater_tables::features::{FeatureFolder, FeatureProvenance, FeatureSample, FolderError};

pub(crate) use plan::{PlanError, read as read_plan};
pub(crate) use servers::{Connected, Servers, Travelled};

/// Features of some samples, each sample once. An error is the last item.
pub(crate) type Arrivals = BoxStream<'static, Result<FeatureSample, SourceError>>;

/// Storage servers, or a folder that an extraction has filled.
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
    pub(crate) fn provenance(&self) -> &FeatureProvenance {
        match self {
            Self::Servers(servers) => servers.provenance(),
            Self::Folder(folder) => folder.provenance(),
        }
    }

    /// The features of one run, always in the same order.
    pub(crate) fn run(&self, runs: &Runs, run: u32) -> Result<Arrivals, SourceError> {
        match self {
            Self::Servers(servers) => servers.features(runs.samples(run).collect::<Vec<_>>(), true),
            Self::Folder(folder) => Ok(folder.stream(runs.samples(run).collect()).map_err(SourceError::from).boxed()),
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
