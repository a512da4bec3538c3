//! The arguments of `profiler model`.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use headwater_cli::AccessArgs;
use headwater_cli::exit::UsageError;
use headwater_cli::settings::Findings;
use headwater_cli::values::some_seconds;
use headwater_client::{ServerSource, Servers};
use headwater_types::{DatasetName, ModelName, NetworkCut};

use crate::recipe::check_recipe;

const EXAMPLES: &str = "\
Examples:
  profiler model --model mobilenet.onnx --recipe imagenet-eval
  profiler model --model mobilenet.onnx --recipe imagenet-eval \\
      --photos photos/ --samples 32 --json > mobilenet.json
  profiler model --model mobilenet.onnx --recipe imagenet-eval \\
      --split-at relu3_2 --out halves/

For each cut between a stored photo and the network's outputs: the bytes of
one image that travel, as they are and coded without loss, and the CPU
seconds of one core in front of it (the server's) and behind it (the
tuner's), both measured on this machine, on one thread each. Cuts are where
a single tensor separates the outputs from the photo, or few tensors that
take fewer bytes than the single ones around them, and never within what
ONNX Runtime makes one operator of. tuner plan goes on from the JSON.

With --servers the servers' seconds are theirs: they open the network up to
each cut, and say what it took them.

With --split-at only that cut is measured, and its halves are written to
DIR/front.onnx and DIR/back.onnx: two models that ONNX Runtime takes.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ModelArgs {
    /// The network
    #[arg(long, env = "HEADWATER_NETWORK_MODEL", value_name = "FILE.onnx")]
    pub(crate) model: PathBuf,

    /// The recipe that makes the network's input: one in the box, or a TOML file
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) recipe: String,

    /// The outputs that are wanted [default: features where there is one, else the only one]
    #[arg(long, env = "HEADWATER_NETWORK_OUTPUT", value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) output: Vec<String>,

    /// Photos to measure with: a folder, with its folders [default: a generated photo of 500 x 375 pixels and 59 kB]
    #[arg(long, value_name = "DIR")]
    pub(crate) photos: Option<PathBuf>,

    /// Measure so many of these photos, from all over the folder [default: 16]
    #[arg(long, value_name = "N")]
    pub(crate) samples: Option<NonZeroU64>,

    /// Images that a half runs at once, each number in turn
    #[arg(
        long,
        env = "HEADWATER_NETWORK_BATCHES",
        value_name = "N,...",
        value_delimiter = ',',
        default_value = "1,8",
        value_parser = batch
    )]
    pub(crate) batches: Vec<u32>,

    /// Seconds for each half and number of images
    #[arg(
        long,
        env = "HEADWATER_NETWORK_SECONDS",
        value_name = "SECONDS",
        default_value = "0.2",
        value_parser = some_seconds
    )]
    pub(crate) seconds: Duration,

    /// Measure this cut alone, and write its halves to --out: a tensor, or those of a cut of several
    #[arg(long, value_name = "TENSOR[,TENSOR]")]
    pub(crate) split_at: Option<NetworkCut>,

    /// The folder for the halves of --split-at; made where there is none
    #[arg(long, env = "HEADWATER_NETWORK_OUT", value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Measure what servers do at these storage servers, which have registered the network, and not on this machine:
    /// their CPU time at each cut, and what serving an image takes beside it
    #[arg(long, value_name = "HOST:PORT,...", value_delimiter = ',')]
    pub(crate) servers: Vec<ServerSource>,

    #[command(flatten)]
    pub(super) access: AccessArgs,

    /// With --servers: the dataset whose samples are taken
    #[arg(long, value_name = "NAME")]
    pub(crate) dataset: Option<DatasetName>,

    /// With --servers: the name by which they have registered the network
    #[arg(long, value_name = "NAME")]
    pub(crate) served_as: Option<ModelName>,

    /// ONNX Runtime's shared library; looked for in ORT_DYLIB_PATH, beside the program, in ../lib/headwater, in the
    /// Python environment that the program is in, and in .venv if not given
    #[arg(long, visible_alias = "ort-library", value_name = "FILE")]
    pub(crate) onnxruntime: Option<PathBuf>,
}

/// Servers that are measured.
#[derive(Clone, Debug)]
pub(super) struct AtServers {
    pub(super) servers: Servers,
    pub(super) dataset: DatasetName,
    pub(super) model: ModelName,
}

/// Most images of a batch: HAPI's largest.
const MOST_BATCH: u32 = 1024;
/// Photos that are measured where nobody says how many: enough for means of bytes, since activations of all photos have
/// the same shape.
const SAMPLES: u64 = 16;

// === impl ModelArgs ===

impl ModelArgs {
    /// Whether the arguments fit together: clap sees only those that are flags.
    pub(crate) fn check_usage(&self) -> Result<(), UsageError> {
        let wrong = |words: &str| Err(UsageError(words.to_owned()));
        match (self.split_at.is_none(), &self.out) {
            (false, None) => wrong("--split-at without --out: say where the halves go, --out DIR"),
            (true, Some(_)) => wrong("--out without --split-at: give --split-at TENSOR, or leave --out away"),
            _ if self.samples.is_some() && self.photos.is_none() && self.servers.is_empty() => {
                wrong("--samples without --photos: there is one generated photo; give --photos DIR")
            }
            _ if self.at_servers().is_none()
                && (!self.servers.is_empty() || self.dataset.is_some() || self.served_as.is_some()) =>
            {
                wrong("--servers takes --dataset NAME and --served-as NAME, the network's name there: give all three")
            }
            _ => Ok(()),
        }
    }

    /// Notes what would keep the command from starting.
    pub(crate) fn check(&self, findings: &mut Findings) {
        check_recipe(Some(&self.recipe), findings);
        findings.readable_file("--model", &self.model);
        self.photos.iter().for_each(|folder| findings.readable_folder("--photos", folder));
        self.out.iter().for_each(|folder| findings.writable_folder("--out", folder));
        self.onnxruntime.iter().for_each(|library| findings.readable_file("--onnxruntime", library));
    }

    /// The servers that are measured, where they were named.
    pub(super) fn at_servers(&self) -> Option<AtServers> {
        let (dataset, model) = (self.dataset.clone()?, self.served_as.clone()?);
        (!self.servers.is_empty()).then(|| AtServers { servers: Servers::new(self.servers.clone()), dataset, model })
    }

    /// How many photos are measured.
    pub(super) fn samples(&self) -> usize {
        usize::try_from(self.samples.map_or(SAMPLES, NonZeroU64::get)).unwrap_or(usize::MAX)
    }
}

/// A number of images, 1 or more.
fn batch(text: &str) -> Result<u32, String> {
    let parsed = text.trim().parse().ok().filter(|batch| (1..=MOST_BATCH).contains(batch));
    parsed.ok_or_else(|| format!("{text:?} is not a number of images from 1 to {MOST_BATCH}"))
}
