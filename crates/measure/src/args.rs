//! The profiler's command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use headwater_cli::exit::UsageError;
use headwater_cli::{Common, FailureArgs, LimitArgs, values};
use headwater_client::{ClientOptions, Retry, ServerAddress};
use headwater_types::patience::CLIENT_PATIENCE;
use headwater_types::{ByteCount, Cut, DatasetName, ModelName, PixelCoding};

use crate::compare::CompareArgs;
use crate::epoch::EpochArgs;
use crate::gauge::{DatasetArgs, MachineArgs, NetworkArgs};
use crate::import::ImportArgs;
use crate::indices::IndexSet;
use crate::plan::{ExplainArgs, PlanCommand};
use crate::report::ReportArgs;

const EXAMPLES: &str = "\
Examples:
  profiler recipe
  profiler recipe imagenet-train > mine.toml
  profiler fetch --servers node1:7440,node2:7440 --dataset photos \\
      --recipe imagenet-train --cut cropped --seed 1 --epoch 0 \\
      --indices 0-99 --out samples/
  profiler plan --profile photos.parquet --bandwidth 430Mbps \\
      --storage-cores 5 --out plan.txt
  profiler explain --profile photos.parquet --plan plan.txt --sample 17";

const RECIPE_EXAMPLES: &str = "\
Examples:
  profiler recipe                    # the recipes in the box
  profiler recipe imagenet-train     # one of them, as TOML: copy, change it
  profiler recipe mine.toml --json   # your own, checked, with its digest";

const FETCH_EXAMPLES: &str = "\
Examples:
  profiler fetch --servers node1:7440 --dataset photos \\
      --recipe imagenet-train --cut encoded --out samples/
  profiler fetch --servers node1:7440,node2:7440 --dataset photos \\
      --recipe mine.toml --cut decoded --seed 1 --epoch 3 \\
      --indices 0-99,500 --out samples/
  profiler fetch --servers node1:7440 --dataset photos \\
      --cut features --model mobilenet --out features/
  profiler fetch --servers node1:7440 --dataset photos \\
      --recipe imagenet-train --cut jpeg-crop --wire-bytes --out samples/
  profiler fetch --servers node1:7440 --dataset photos \\
      --recipe imagenet-train --cut flipped --pixels lossless \\
      --wire-bytes --out samples/
  profiler fetch --servers node1:7440,node2:7440 --dataset photos \\
      --recipe imagenet-train --plan photos.plan --out samples/

Whatever the cut, and however it travels, the tensors are the same, to
the bit.
DIR/<index>.npy     the finished tensor, f32 [3, height, width];
                    at the cut features the vector, f32 [d]
DIR/samples.jsonl   a line for each sample: index, key, label, width,
                    height, box, flip, error; and with --wire-bytes
                    wire_bytes, wire_cut, coding
standard output     a summary; JSON with --json

Ctrl-C, SIGTERM and a closed terminal keep what has come: see samples.jsonl.";

/// Shows recipes, fetches samples from storage servers, and plans where they are cut.
#[derive(Debug, Parser)]
#[command(name = "profiler", after_help = EXAMPLES)]
pub struct ProfilerArgs {
    /// Settings and logs.
    #[command(flatten)]
    pub common: Common,

    #[command(subcommand)]
    pub(crate) action: Action,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// List the recipes in the box, or print one with its digest
    Recipe(RecipeArgs),
    /// Fetch samples, finish their recipe, and write them as .npy files
    Fetch(Box<FetchArgs>),
    /// Make a profile of what another program measured
    Import(ImportArgs),
    /// Choose for each sample where it is cut, from a profile and what there is to use
    Plan(Box<PlanCommand>),
    /// Say why a plan cuts a sample where it does
    Explain(ExplainArgs),
    /// Write a page with plots: what samples cost, who is cut where, epochs over bandwidth and cores
    Report(Box<ReportArgs>),
    /// Measure what every sample costs at every cut, and write it as a profile
    Dataset(Box<DatasetArgs>),
    /// Measure bandwidth and round trip to each server
    Network(Box<NetworkArgs>),
    /// Measure this machine's cores, and an accelerator
    Machine(MachineArgs),
    /// Stream one epoch as a trainer would, and measure it
    Epoch(Box<EpochArgs>),
    /// Show how epochs went against what was predicted
    Compare(CompareArgs),
}

#[derive(Debug, Args)]
#[command(after_help = RECIPE_EXAMPLES)]
pub(crate) struct RecipeArgs {
    /// A recipe in the box, or a TOML file
    #[arg(value_name = "NAME|FILE")]
    pub(crate) recipe: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = FETCH_EXAMPLES)]
pub(crate) struct FetchArgs {
    /// Storage servers; their samples follow each other in this order
    #[arg(long, value_name = "HOST:PORT,...", value_delimiter = ',', required = true)]
    pub(crate) servers: Vec<ServerAddress>,

    /// The dataset's name on the servers
    #[arg(long, value_name = "NAME")]
    pub(crate) dataset: DatasetName,

    /// What is done to the photos: a recipe in the box, or a TOML file (not needed with --model)
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) recipe: Option<String>,

    /// How far the servers go: encoded, jpeg-crop, decoded, cropped, flipped, tensor, normalized or features
    #[arg(long, value_name = "CUT")]
    pub(crate) cut: Option<Cut>,

    /// Go by a plan, sample by sample: a file, or auto, which profiles a little, plans, and plans anew on the way
    #[arg(long, value_name = "FILE|auto")]
    pub(crate) plan: Option<PathBuf>,

    /// Time that --plan auto may take to measure, in seconds. A job that is too short for that is not planned: photos come as they are stored
    /// [default: a twentieth of what the job is estimated to take]
    #[arg(long, value_name = "SECONDS", value_parser = values::seconds)]
    pub(crate) profile_seconds: Option<Duration>,

    /// How the pixels of u8 cuts travel: raw, or lossless (fewer bytes, for some CPU on both sides)
    #[arg(long, value_name = "CODING", default_value_t = PixelCoding::Raw)]
    pub(crate) pixels: PixelCoding,

    /// Have the cuts tensor and normalized travel as f32, and not as the u8 pixels from which they are made here
    #[arg(long)]
    pub(crate) wire_floats: bool,

    /// Say of each sample how many bytes it took on the wire, and as what
    #[arg(long)]
    pub(crate) wire_bytes: bool,

    /// The model, for the cut features
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<ModelName>,

    /// Take features that are not finite (NaN or an infinity) too, where without this their samples fail
    #[arg(long)]
    pub(crate) allow_non_finite: bool,

    /// The run's seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    /// The pass over the dataset
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) epoch: u64,

    /// Which samples: 0-99, 5 or 1,5,10-20 [default: all]
    #[arg(long, value_name = "INDICES")]
    pub(crate) indices: Option<IndexSet>,

    /// The folder to write to; files of the same name are replaced
    #[arg(long, env = "HEADWATER_FETCH_OUT", value_name = "DIR")]
    pub(crate) out: PathBuf,

    #[command(flatten)]
    pub(crate) failures: FailureArgs,

    #[command(flatten)]
    pub(crate) client: ClientArgs,
}

/// The seconds of [`Retry`]'s default.
const GIVE_UP_AFTER: u32 = CLIENT_PATIENCE.as_secs() as u32;

#[derive(Debug, Args)]
#[command(next_help_heading = "Client")]
pub(crate) struct ClientArgs {
    /// Calls that run at once to each server
    #[arg(long, value_name = "N", default_value_t = ClientOptions::default().streams_per_server)]
    streams: NonZeroUsize,

    /// Bytes that may wait here for a thread
    #[arg(long, value_name = "SIZE", default_value_t = ClientOptions::default().window)]
    window: ByteCount,

    /// Threads that finish recipes [default: one for each core]
    #[arg(long, env = "HEADWATER_CLIENT_CPU_WORKERS", value_name = "N", value_parser = values::threads)]
    cpu_workers: Option<NonZeroUsize>,

    /// Seconds without one sample from a server after which to stop
    #[arg(long, value_name = "SECONDS", default_value_t = GIVE_UP_AFTER)]
    give_up_after: u32,

    /// Go on without the samples of partitions that no server serves (--partition K/N of storage-server); without this they are an error
    #[arg(long)]
    allow_partial: bool,

    #[command(flatten)]
    limits: LimitArgs,
}

// === impl FetchArgs ===

impl FetchArgs {
    /// Whether the arguments fit together: clap sees only those that are flags.
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        let wrong = |words: &str| Err(UsageError(words.to_owned()));
        let of_floats = matches!(self.cut, Some(Cut::Tensor | Cut::Normalized));
        let of_files = matches!(self.cut, Some(Cut::Encoded | Cut::JpegCrop | Cut::Features));
        match self.cut {
            Some(_) if self.plan.is_some() => return wrong("--plan says how each sample is cut: leave --cut out"),
            None if self.plan.is_some() && self.model.is_some() => {
                return wrong(
                    "--plan is of a recipe's tensors: leave --model out; tuner extract --plan is of features",
                );
            }
            None if self.plan.is_some() && self.pixels == PixelCoding::Lossless => {
                return wrong("--plan says how the pixels of each sample travel: leave --pixels out");
            }
            Some(cut) if self.wire_floats && !of_floats => {
                return Err(UsageError(format!(
                    "--wire-floats is of the cuts tensor and normalized: {cut} has no floats; leave it out"
                )));
            }
            Some(cut) if self.pixels == PixelCoding::Lossless && of_files => {
                return Err(UsageError(format!(
                    "--pixels is of cuts that travel as pixels: {cut} does not; leave it out"
                )));
            }
            _ => {}
        }
        if self.allow_non_finite && self.cut != Some(Cut::Features) {
            return wrong("--allow-non-finite is of the cut features: leave it out");
        }
        if self.profile_seconds.is_some() && self.plan.is_none() {
            return wrong("--profile-seconds is of --plan auto: give that, or leave it out");
        }
        match (&self.plan, self.cut, &self.model) {
            (None, None, _) => wrong("give --cut CUT, or --plan FILE"),
            (None, Some(Cut::Features), None) => wrong("the cut features needs a model: give --model NAME"),
            (None, Some(Cut::Features), Some(_)) => Ok(()),
            (None, Some(cut), Some(_)) if self.recipe.is_some() => Err(UsageError(format!(
                "--recipe and --model both say what is done to the photos, and {cut} is of pixels: give one of the two"
            ))),
            (_, _, None) if self.recipe.is_none() => wrong("give --recipe NAME|FILE: what is done to the photos"),
            _ => Ok(()),
        }
    }
}

// === impl ClientArgs ===

impl ClientArgs {
    pub(crate) fn options(&self) -> ClientOptions {
        let defaults = ClientOptions::default();
        let give_up_after = Duration::from_secs(self.give_up_after.into());
        ClientOptions {
            streams_per_server: self.streams,
            window: self.window,
            cpu_workers: self.cpu_workers.unwrap_or(defaults.cpu_workers),
            limits: self.limits.limits(),
            retry: Retry { give_up_after, ..defaults.retry.clone() },
            allow_partial: self.allow_partial,
            ..defaults
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        ProfilerArgs::command().debug_assert();
    }
}
