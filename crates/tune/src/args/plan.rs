//! The arguments that say where samples are inferred.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_cli::user_cache;
use headwater_extraction::{Devices, Inference, LocalOptions, Precision, Split};
use headwater_types::{BitsPerSecond, NetworkCut};

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

    /// Split the network at these tensors: servers run it up to there, and the rest runs here, by --extractor.
    /// `profiler model` lists the cuts
    #[arg(long, value_name = "TENSOR[,TENSOR]", conflicts_with_all = ["plan", "split_by"])]
    pub(crate) split_at: Option<NetworkCut>,

    /// With --split-at: code the tensors without loss on their way, where that makes them shorter
    #[arg(long)]
    pub(crate) split_coded: bool,

    /// Split the network where this profile of it says, as `profiler model --json` has printed it, for the servers, the
    /// network and the cores here; and elsewhere, where what is seen on the way says so
    #[arg(long, value_name = "FILE", conflicts_with = "plan")]
    pub(crate) split_by: Option<PathBuf>,

    /// The model's file, to infer here what comes as pixels or is split: the one that the servers have registered
    #[arg(long, value_name = "FILE.onnx")]
    pub(crate) extractor: Option<PathBuf>,

    /// ONNX Runtime's shared library, for --extractor; looked for in ORT_DYLIB_PATH, beside the program, in
    /// ../lib/headwater, in the Python environment that the program is in, and in .venv if not given
    #[arg(long, value_name = "FILE")]
    pub(crate) onnxruntime: Option<PathBuf>,

    /// Where --extractor runs here: cpu, cuda or tensorrt; cuda:N and tensorrt:N are the GPU of that number, from 0,
    /// and several of a kind are separated by commas. A device that is not there is an error
    #[arg(long, value_name = "DEVICE,…", default_value = "cpu")]
    pub(crate) device: Devices,

    /// Precision in which --extractor computes here, where it is of float32: fp32; or fp16, with --device tensorrt,
    /// faster and less exact
    #[arg(long, env = "HEADWATER_DEVICE_PRECISION", value_name = "PRECISION", default_value = "fp32")]
    pub(crate) precision: Precision,

    /// Threads that infer here, on the CPU; with a GPU those that prepare photos for it [default: one for each core]
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
            here: LocalOptions {
                onnxruntime: self.onnxruntime.clone(),
                devices: self.device.clone(),
                precision: self.precision,
                engines: user_cache().map(|cache| cache.join("engines")),
            },
            split: self.split(),
        }
    }

    /// Where the network is split.
    pub(super) fn split(&self) -> Option<Split> {
        let at = self.split_at.clone().map(|cut| Split::At { cut, coded: self.split_coded });
        at.or_else(|| self.split_by.clone().map(Split::By))
    }

    /// Whether features may be made here, in part or as a whole.
    pub(crate) fn makes_features(&self) -> bool {
        self.plan.is_some() || self.split().is_some()
    }

    /// What clap cannot see, since values may come from a file or a variable. `joined`: whether a file that is to be
    /// joined to a head is the extractor, where none is named.
    pub(crate) fn check(&self, joined: bool) -> Result<(), UsageError> {
        let auto = self.plan.as_ref().is_some_and(|plan| plan.as_os_str() == "auto");
        if self.profile_seconds.is_some() && !auto {
            return Err(UsageError("--profile-seconds without --plan auto: nothing is measured".to_owned()));
        }
        let split = self.split();
        if self.split_coded && self.split_at.is_none() {
            let words = "--split-coded without --split-at: a profile (--split-by) says what is coded; leave it out";
            return Err(UsageError(words.to_owned()));
        }
        if split.is_some() && self.device.is_accelerator() {
            let device = &self.device;
            let words =
                format!("--device {device} with a network that is split: its rest runs on the CPU here; leave it out");
            return Err(UsageError(words));
        }
        if split.is_some() && self.plan.is_some() {
            let words =
                "--plan says of each sample where it is inferred, and --split-at and --split-by of all: give one";
            return Err(UsageError(words.to_owned()));
        }
        if split.is_some() && self.extractor.is_none() && !joined {
            let words = "a network that is split runs its rest here: give --extractor FILE.onnx, the model's file";
            return Err(UsageError(words.to_owned()));
        }
        if self.device.is_accelerator() && self.extractor.is_none() && !joined {
            return Err(UsageError(format!(
                "--device {} without --extractor: here no model would run on it; give --extractor FILE.onnx and \
                 --plan FILE|auto too, or leave it out and give --device to storage-server",
                self.device
            )));
        }
        if let Err(error) = self.precision.check(&self.device) {
            return Err(UsageError(format!("--precision {}: {error}", self.precision)));
        }
        let given = [
            ("--extractor", self.extractor.is_some()),
            ("--device", self.device.is_accelerator()),
            ("--inference-workers", self.inference_workers.is_some()),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given && self.plan.is_none() && split.is_none()) {
            Some((flag, _)) => Err(UsageError(format!(
                "{flag} without --plan, --split-at or --split-by: servers infer all, and nothing is inferred here"
            ))),
            None => Ok(()),
        }
    }
}
