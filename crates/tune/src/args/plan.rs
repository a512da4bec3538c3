//! The arguments that say where samples are inferred.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_extraction::Inference;
use headwater_types::BitsPerSecond;

/// Where samples are inferred: at the servers, or here.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Plan")]
pub(crate) struct PlanArgs {
    /// Let a plan say of each sample whether it comes as features, or as pixels that are inferred here: a file that
    /// `profiler plan` has made from a profile with --model; or auto, which profiles a little, plans, and plans anew on
    /// the way. Without one, servers infer all
    #[arg(long, value_name = "FILE|auto")]
    pub(crate) plan: Option<PathBuf>,

    /// Time that --plan auto may take to measure, in seconds. A job that is too short for that is not planned: servers
    /// infer all that they can [default: a twentieth of what the job is estimated to take]
    #[arg(long, value_name = "SECONDS", value_parser = headwater_cli::values::seconds)]
    pub(crate) profile_seconds: Option<Duration>,

    /// The model's file, to infer here what comes as pixels: the one that the servers have registered
    #[arg(long, value_name = "FILE.onnx")]
    pub(crate) extractor: Option<PathBuf>,

    /// ONNX Runtime's shared library, for --extractor; looked for in ORT_DYLIB_PATH, beside the program and in .venv if
    /// not given
    #[arg(long, value_name = "FILE")]
    pub(crate) onnxruntime: Option<PathBuf>,

    /// Threads that infer here, on the CPU [default: one for each core]
    #[arg(long, value_name = "N", value_parser = headwater_cli::values::threads)]
    pub(crate) inference_workers: Option<NonZeroUsize>,

    /// Receive at most so much, from all servers together: 100Mbps [default: not limited]
    #[arg(long, value_name = "BANDWIDTH")]
    pub(crate) limit_bandwidth: Option<BitsPerSecond>,
}

// === impl PlanArgs ===

impl PlanArgs {
    /// Where samples are inferred.
    pub(super) fn inference(&self) -> Inference {
        Inference {
            plan: self.plan.clone().map(Into::into),
            profile_time: self.profile_seconds,
            extractor: self.extractor.clone(),
            onnxruntime: self.onnxruntime.clone(),
        }
    }

    /// What clap cannot see, since values may come from a file or a variable.
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        let auto = self.plan.as_ref().is_some_and(|plan| plan.as_os_str() == "auto");
        if self.profile_seconds.is_some() && !auto {
            return Err(UsageError("--profile-seconds without --plan auto: nothing is measured".to_owned()));
        }
        let given =
            [("--extractor", self.extractor.is_some()), ("--inference-workers", self.inference_workers.is_some())];
        match given.into_iter().find(|(_, is_given)| *is_given && self.plan.is_none()) {
            Some((flag, _)) => {
                Err(UsageError(format!("{flag} without --plan: servers infer all, and nothing is inferred here")))
            }
            None => Ok(()),
        }
    }
}
