//! `--plan`: where each sample is inferred, at the servers or here.

use std::io;
use std::path::{Path, PathBuf};

use headwater_cli::input::read_at_most;
use headwater_client::{Dataset, RegisteredModel};
use headwater_infer::{LocalError, LocalExtractor};
use headwater_pilot::{PilotError, Steering};
use headwater_plan::{Plan, PlanFileError};
use headwater_types::caps::MAX_PLAN_BYTES;
use headwater_types::{ModelName, Way};

use super::SourceError;
use crate::args::PlanArgs;

/// How samples will come, as far as that is known before it is known which.
#[derive(Debug)]
pub(crate) enum Course {
    /// As a plan says, or all as features.
    Set(Steering),
    /// By a plan that is still to be made.
    Auto,
}

/// Why a plan cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    /// The file cannot be read.
    #[error("--plan: cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file is something else.
    #[error("--plan: {} is not a plan: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<PlanFileError>,
    },
    /// It is for something else.
    #[error("--plan {}: {error}", path.display())]
    For {
        /// The file.
        path: PathBuf,
        /// For what.
        error: Box<PilotError>,
    },
    /// Nobody would infer what comes as pixels.
    #[error(
        "by --plan {} {pixels} of {samples} samples come as pixels, to be inferred here: give --extractor FILE.onnx, the file of \
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
    /// There would be nothing to choose.
    #[error(
        "--plan auto chooses between the servers and this machine for each sample: give --extractor FILE.onnx, the file of the \
         model {0} that the servers have registered"
    )]
    NothingToChoose(ModelName),
}

// === impl Course ===

impl Course {
    /// Reads the plan, holds it against what is served, and opens the extractor where samples may come as pixels.
    pub(crate) async fn open(
        args: &PlanArgs,
        dataset: &Dataset,
        model: &RegisteredModel,
    ) -> Result<(Self, Option<LocalExtractor>), SourceError> {
        let Some(path) = &args.plan else { return Ok((Self::Set(Steering::new(Way::FEATURES)), None)) };
        if path.as_os_str() == "auto" {
            let nothing = || PlanError::NothingToChoose(model.info.name.clone());
            let file = args.extractor.as_ref().ok_or_else(nothing)?;
            return Ok((Self::Auto, Some(local(file, args, dataset, model).await?)));
        }
        let plan = read_beside(path.clone()).await?;
        let steering = Steering::by(&plan, dataset, &model.info);
        let steering = steering.map_err(|error| PlanError::For { path: path.clone(), error: error.into() })?;
        let pixels = plan.iter().filter(|way| *way != Way::FEATURES).count();
        let extractor = match &args.extractor {
            _ if pixels == 0 => None,
            Some(file) => Some(local(file, args, dataset, model).await?),
            None => {
                let (path, samples, model) = (path.clone(), plan.len(), model.info.name.clone());
                return Err(PlanError::NoExtractor { path, pixels, samples, model }.into());
            }
        };
        Ok((Self::Set(steering), extractor))
    }
}

async fn local(
    file: &Path,
    args: &PlanArgs,
    dataset: &Dataset,
    model: &RegisteredModel,
) -> Result<LocalExtractor, LocalError> {
    LocalExtractor::open(file.to_owned(), model.info.clone(), dataset.options(), args.onnxruntime.clone()).await
}

/// On a thread that may block: a million samples take a tenth of a second.
async fn read_beside(path: PathBuf) -> Result<Plan, SourceError> {
    Ok(tokio::task::spawn_blocking(move || read(&path)).await??)
}

/// A plan out of its file.
pub(crate) fn read(path: &Path) -> Result<Plan, PlanError> {
    let path = || path.to_owned();
    let bytes = read_at_most(path(), MAX_PLAN_BYTES as u64).map_err(|error| PlanError::Read { path: path(), error })?;
    Plan::parse(&bytes).map_err(|error| PlanError::File { path: path(), error: error.into() })
}
