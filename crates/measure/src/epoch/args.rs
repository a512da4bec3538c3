//! The settings of `profiler epoch`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use headwater_cli::FailureArgs;
use headwater_cli::exit::UsageError;
use headwater_cli::values::some_seconds;
use headwater_epoch::{EpochMode, EpochOptions, EpochPlan};
use headwater_plan::{Algorithm, Allowed, Cores, Profile, SamplesPerSecond};
use headwater_types::{BitsPerSecond, Recipe};

use crate::served::{ClientArgs, RunArgs, ServedArgs};

const EXAMPLES: &str = "\
Examples:
  profiler epoch --servers node1:7440,node2:7440 --dataset photos \\
      --recipe imagenet-train --mode no-off --limit-bandwidth 100Mbps
  profiler epoch --servers node1:7440,node2:7440 --dataset photos \\
      --recipe imagenet-train --mode optimal --profile photos.parquet \\
      --limit-bandwidth 100Mbps --json > optimal.json
  profiler epoch --servers node1:7440 --dataset photos \\
      --recipe imagenet-train --mode plan photos.plan
  profiler epoch --servers node1:7440 --dataset photos \\
      --recipe imagenet-train --mode auto --accelerator-rate 1200

Modes: no-off (photos as they are stored), all-off (finished tensors) and
resize-off (crops) for all samples alike, as SOPHON's paper has them, or
any other cut; sophon, by the paper's greedy; optimal, minimum-bytes, by
this profiler's planners; auto, which plans and plans anew on the way;
plan FILE. Whatever the mode, the tensors are the same, to the bit.
profiler compare optimal.json shows predicted against measured.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct EpochArgs {
    #[command(flatten)]
    pub(crate) served: ServedArgs,

    #[command(flatten)]
    pub(crate) client: ClientArgs,

    #[command(flatten)]
    pub(crate) run: RunArgs,

    #[command(flatten)]
    pub(crate) failures: FailureArgs,

    /// How samples travel: no-off, all-off, resize-off, sophon, optimal, minimum-bytes, auto, a cut such as jpeg-crop
    /// or flipped+lossless, or plan FILE
    #[arg(long, value_name = "MODE", default_value = "optimal")]
    pub(crate) mode: EpochMode,

    /// The plan of `--mode plan`
    #[arg(value_name = "FILE")]
    plan: Option<PathBuf>,

    /// A profile of this dataset, for modes that plan (and for predictions of the others); without one they profile a
    /// little first
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,

    /// Time that measuring may take without --profile, in seconds. With --mode auto, an epoch that is too short for
    /// that is not planned: photos come as they are stored [default: for auto a twentieth of what the epoch is
    /// estimated to take, for others 10]
    #[arg(long, value_name = "SECONDS", value_parser = headwater_cli::values::seconds)]
    pub(crate) profile_seconds: Option<Duration>,

    /// Cuts that a plan may choose from, in every coding or in one: encoded,jpeg-crop,flipped+lossless [default: those
    /// of the profile]
    #[arg(long, value_name = "CUT,...", value_delimiter = ',')]
    pub(crate) allow_cuts: Vec<Allowed>,

    /// Samples of a batch
    #[arg(long, env = "HEADWATER_EPOCH_BATCH_SIZE", value_name = "N", default_value = "64")]
    pub(crate) batch_size: NonZeroUsize,

    /// Receive at most so much, from all servers together
    #[arg(long, value_name = "BANDWIDTH", help_heading = "Resources")]
    pub(crate) limit_bandwidth: Option<BitsPerSecond>,

    /// Plan for so much [default: --limit-bandwidth; measured where that is not given either]
    #[arg(long, value_name = "BANDWIDTH", help_heading = "Resources")]
    pub(crate) bandwidth: Option<BitsPerSecond>,

    /// Plan for so many cores of each server [default: the --cpu-workers that it announces]
    #[arg(long, env = "HEADWATER_EPOCH_STORAGE_CORES", value_name = "N", help_heading = "Resources")]
    pub(crate) storage_cores: Option<Cores>,

    /// Finish on so many threads, and plan for them [default: one for each core]
    #[arg(long, env = "HEADWATER_EPOCH_TRAINER_CORES", value_name = "N", help_heading = "Resources")]
    trainer_cores: Option<NonZeroUsize>,

    /// Take no more than so many samples a second, as an accelerator would, and plan for that
    #[arg(long, value_name = "RATE", help_heading = "Resources")]
    pub(crate) accelerator_rate: Option<SamplesPerSecond>,

    /// Give a digest over all tensors, whatever their order: equal where every tensor is the same, to the bit
    #[arg(long)]
    pub(crate) digest: bool,

    /// After so many seconds, halve --limit-bandwidth: to see a plan follow
    #[arg(long, value_name = "SECONDS", value_parser = some_seconds)]
    pub(crate) halve_after: Option<Duration>,
}

// === impl EpochArgs ===

impl EpochArgs {
    /// Whether the arguments fit together: clap sees only those that are flags.
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        if self.halve_after.is_some() && self.limit_bandwidth.is_none() {
            return Err(UsageError(
                "--halve-after needs --limit-bandwidth: there is no other limit to halve".to_owned(),
            ));
        }
        if self.profile_seconds.is_some() && self.profile.is_some() {
            return Err(UsageError(
                "--profile and --profile-seconds: with a profile nothing is measured; give one".to_owned(),
            ));
        }
        let chooses = !matches!(self.mode.algorithm(), None | Some(Algorithm::Static(_)));
        if !self.allow_cuts.is_empty() && !chooses {
            let words = format!("--allow-cuts is of modes that plan: --mode {} has nothing to choose", self.mode);
            return Err(UsageError(words));
        }
        self.plan().map(drop)
    }

    /// One epoch, with the files that these arguments name.
    pub(crate) fn options(
        &self,
        recipe: Recipe,
        plan: Option<EpochPlan>,
        profile: Option<Arc<Profile>>,
    ) -> anyhow::Result<EpochOptions> {
        Ok(EpochOptions {
            servers: self.served.servers(),
            dataset: self.served.dataset.clone(),
            client: self.client.options()?,
            recipe,
            address: self.run.address(),
            mode: self.mode.clone(),
            plan,
            profile,
            profile_time: self.profile_seconds,
            allowed: self.allow_cuts.clone(),
            batch_size: self.batch_size,
            limit: self.limit_bandwidth,
            bandwidth: self.bandwidth,
            storage_cores: self.storage_cores,
            trainer_cores: self.trainer_cores,
            accelerator_rate: self.accelerator_rate,
            digest: self.digest,
            halve_after: self.halve_after,
        })
    }

    /// The plan's file, where the mode is one.
    pub(crate) fn plan(&self) -> Result<Option<&Path>, UsageError> {
        let wrong = |words: String| Err(UsageError(words));
        match (&self.mode, &self.plan) {
            (EpochMode::Plan(Some(file)), None) | (EpochMode::Plan(None), Some(file)) => Ok(Some(file)),
            (EpochMode::Plan(None), None) => wrong("--mode plan needs a file: write --mode plan FILE".to_owned()),
            (EpochMode::Plan(Some(_)), Some(file)) => {
                wrong(format!("--mode names a plan, and {} is another: give one", file.display()))
            }
            (mode, Some(file)) => {
                wrong(format!("{} has no use with --mode {mode}: write --mode plan FILE", file.display()))
            }
            (_, None) => Ok(None),
        }
    }
}
