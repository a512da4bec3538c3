//! A plan in its file, and how a command names one.

use std::io;
use std::path::{Path, PathBuf};

use headwater_cli::input::read_at_most;
use headwater_plan::{Plan, PlanFileError};
use headwater_types::caps::MAX_PLAN_BYTES;

/// Where a command takes its plan from: `--plan FILE|auto`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanSource {
    /// The command profiles a little, plans, and plans anew on the way.
    Auto,
    /// The plan is in this file.
    File(PathBuf),
}

/// Why a plan cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PlanReadError {
    /// The file cannot be read.
    #[error("cannot read the plan {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the file system.
        source: io::Error,
    },
    /// The file is something else.
    #[error("{} is not a plan", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with its content.
        source: Box<PlanFileError>,
    },
}

// === impl PlanSource ===

impl PlanSource {
    /// The file, where the plan is in one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Auto => None,
            Self::File(path) => Some(path),
        }
    }
}

impl From<PathBuf> for PlanSource {
    fn from(path: PathBuf) -> Self {
        if path.as_os_str() == "auto" { Self::Auto } else { Self::File(path) }
    }
}

/// Reads a plan.
///
/// # Errors
/// [`PlanReadError`]: the file cannot be read, or is not a plan.
pub fn read(path: &Path) -> Result<Plan, PlanReadError> {
    let at = || path.to_owned();
    let bytes =
        read_at_most(path, MAX_PLAN_BYTES as u64).map_err(|source| PlanReadError::Read { path: at(), source })?;
    Plan::parse(&bytes).map_err(|error| PlanReadError::Form { path: at(), source: error.into() })
}
