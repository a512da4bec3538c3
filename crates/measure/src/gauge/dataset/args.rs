//! The arguments of `profiler dataset`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use headwater_cli::FailureArgs;
use headwater_cli::exit::UsageError;
use headwater_cli::settings::Findings;
use headwater_cli::values::{part, seconds};
use headwater_client::Dataset;
use headwater_features::Devices;
use headwater_pilot::Samples;
use headwater_plan::Allowed;
use headwater_types::{BitsPerSecond, ModelName};

use crate::served::{ClientArgs, RunArgs, ServedArgs};

const EXAMPLES: &str = "\
Examples:
  profiler dataset --servers node1:7440,node2:7440 --dataset photos \\
      --recipe imagenet-train --out photos.parquet
  profiler dataset --servers node1:7440 --dataset photos \\
      --recipe imagenet-train --samples 500 --out photos.parquet
  profiler dataset --servers node1:7440 --dataset photos \\
      --recipe mine.toml --all --allow-cuts jpeg-crop,flipped+lossless \\
      --out photos.parquet --json
  profiler dataset --servers node1:7440,node2:7440 --dataset photos \\
      --model mobilenet --extractor mobilenet.onnx --out features.parquet

Every header is read; some samples are fetched at every cut and finished
here, and their exact bytes and the CPU time of both sides are taken. The
others are predicted from size, dimensions and crop; how far off that is
on samples that were left out stands in the report and in the file.
profiler plan --profile FILE goes on from there.

With --model samples become its features: at the servers (the cut
features), or here, by the model's file, of samples that come at other
cuts. tuner extract and fine-tune --plan follow such a plan.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DatasetArgs {
    #[command(flatten)]
    pub(super) served: ServedArgs,

    #[command(flatten)]
    pub(super) client: ClientArgs,

    #[command(flatten)]
    pub(super) run: RunArgs,

    #[command(flatten)]
    pub(super) failures: FailureArgs,

    /// Profile for this model's features, in place of a recipe's tensors; its own recipe holds
    #[arg(long, value_name = "NAME")]
    pub(super) model: Option<ModelName>,

    /// The model's file: the one that the servers have registered
    #[arg(long, value_name = "FILE.onnx")]
    pub(super) extractor: Option<PathBuf>,

    /// ONNX Runtime's shared library; looked for in ORT_DYLIB_PATH, beside the program, in ../lib/headwater, in the
    /// Python environment that the program is in, and in .venv if not given
    #[arg(long, visible_alias = "ort-library", value_name = "FILE")]
    pub(super) onnxruntime: Option<PathBuf>,

    /// Where --extractor runs here: cpu, cuda or tensorrt; cuda:N and tensorrt:N are the GPU of that number, from 0,
    /// and several of a kind are separated by commas. A device that is not there is an error
    #[arg(long, value_name = "DEVICE,…", default_value = "cpu")]
    pub(super) device: Devices,

    /// The file to write the profile to, as Parquet
    #[arg(long, env = "HEADWATER_DATASET_OUT", value_name = "FILE")]
    pub(super) out: PathBuf,

    /// Measure so many samples [default: as many as --precision takes]
    #[arg(long, value_name = "N")]
    pub(super) samples: Option<NonZeroU64>,

    /// Measure every sample
    #[arg(long)]
    pub(super) all: bool,

    /// Measure as many samples as it takes to know all totals within this part of them, with 95 % confidence
    /// [default: 0.02]
    #[arg(long, value_name = "PART", value_parser = part)]
    pub(super) precision: Option<f64>,

    /// Times that each sample is measured at each cut; the median counts. More samples say more than more times
    #[arg(long, value_name = "N", default_value = "1")]
    pub(super) repeats: NonZeroUsize,

    /// Time that it may take, in seconds; the first 32 samples of each cut are measured in any case
    /// [default: 60 with --precision, as long as it takes with --samples or --all]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) profile_seconds: Option<Duration>,

    /// Measure only these cuts, and encoded, in every coding or in one: jpeg-crop,flipped+lossless [default: all]
    #[arg(long, value_name = "CUT,...", value_delimiter = ',')]
    pub(super) allow_cuts: Vec<Allowed>,

    /// Receive at most so much, from all servers together
    #[arg(long, value_name = "BANDWIDTH")]
    pub(super) limit_bandwidth: Option<BitsPerSecond>,
}

/// The precision of totals where none is given.
const PRECISION: f64 = 0.02;

// === impl DatasetArgs ===

impl DatasetArgs {
    /// Which samples are measured, if the arguments fit together: clap sees only those that are flags.
    pub(crate) fn samples(&self) -> Result<Samples, UsageError> {
        let wrong = |words: &str| Err(UsageError(words.to_owned()));
        match (&self.model, &self.extractor) {
            (Some(_), None) => return wrong("--model needs --extractor FILE.onnx, to infer samples here too"),
            (None, Some(_)) => return wrong("--extractor needs --model NAME: without one no features are profiled"),
            (None, None) if self.device.is_accelerator() => {
                return wrong("--device is where --extractor runs: give --model and --extractor, or leave it out");
            }
            (Some(_), Some(_)) if self.run.names_a_recipe() => {
                return wrong("--model has a recipe of its own: leave --recipe out");
            }
            _ => {}
        }
        match (self.samples, self.all) {
            (Some(_), _) | (_, true) if self.precision.is_some() => {
                wrong("--precision is of as many samples as it takes: leave it out, or --samples and --all")
            }
            (Some(_), true) => wrong("--samples and --all exclude each other: give one"),
            (None, true) => Ok(Samples::All),
            (Some(count), false) => Ok(Samples::Count(count.get())),
            (None, false) => Ok(Samples::Within(self.precision.unwrap_or(PRECISION))),
        }
    }

    /// Notes what would keep the command from starting.
    pub(crate) fn check(&self, findings: &mut Findings) {
        if self.model.is_none() {
            findings.note(self.run.recipe());
        }
        let files = [("--extractor", &self.extractor), ("--onnxruntime", &self.onnxruntime)];
        for (setting, file) in files {
            file.iter().for_each(|file| findings.readable_file(setting, file));
        }
        findings.writable_file("--out", &self.out);
    }

    /// Connects to the dataset that is profiled.
    pub(super) async fn connect(&self) -> anyhow::Result<Dataset> {
        self.served.connect(self.limit_bandwidth, self.client.options()?).await
    }
}
