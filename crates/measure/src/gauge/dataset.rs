//! `profiler dataset`: what every sample costs at every way.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_cli::{PhaseBars, Progress};
use headwater_client::{Dataset, RegisteredModel};
use headwater_infer::LocalExtractor;
use headwater_pilot::{Making, Phase, ProfileOptions, Samples, profile, ways_between};
use headwater_plan::{Profile, Way};
use headwater_types::{BitsPerSecond, ModelName, Recipe};
use serde::Serialize;

use crate::plan::Allowed;
use crate::profile_file;
use crate::served::{RunArgs, ServedArgs};

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
    served: ServedArgs,

    #[command(flatten)]
    run: RunArgs,

    /// Profile for this model's features, in place of a recipe's tensors; its own recipe holds
    #[arg(long, value_name = "NAME", requires = "extractor", conflicts_with = "recipe")]
    model: Option<ModelName>,

    /// The model's file: the one that the servers have registered
    #[arg(long, value_name = "FILE.onnx", requires = "model")]
    extractor: Option<PathBuf>,

    /// ONNX Runtime's shared library; looked for in ORT_DYLIB_PATH, beside the program, in ../lib/headwater and in .venv if not given
    #[arg(long, visible_alias = "ort-library", value_name = "FILE")]
    onnxruntime: Option<PathBuf>,

    /// The file to write the profile to, as Parquet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Measure so many samples [default: as many as --precision takes]
    #[arg(long, value_name = "N", conflicts_with = "all")]
    samples: Option<u64>,

    /// Measure every sample
    #[arg(long)]
    all: bool,

    /// Measure as many samples as it takes to know all totals within this part of them, with 95 % confidence
    #[arg(long, value_name = "PART", default_value_t = 0.02)]
    precision: f64,

    /// Times that each sample is measured at each cut; the median counts
    #[arg(long, value_name = "N", default_value_t = 3)]
    repeats: usize,

    /// Measure only these cuts, and encoded, in every coding or in one: jpeg-crop,flipped+lossless [default: all]
    #[arg(long, value_name = "CUT,...", value_delimiter = ',')]
    allow_cuts: Vec<Allowed>,

    /// Receive at most so much, from all servers together
    #[arg(long, value_name = "BANDWIDTH")]
    limit_bandwidth: Option<BitsPerSecond>,
}

#[derive(Serialize)]
pub(crate) struct ProfileReport {
    profile: String,
    digest: headwater_types::Digest,
    samples: u64,
    measured: u64,
    ways: Vec<Row>,
    envelope_bytes: f64,
    envelope_per_byte: f64,
    receive_seconds: f64,
    receive_seconds_per_byte: f64,
}

/// Totals of a way, and how far predictions are off.
#[derive(Serialize)]
struct Row {
    way: Way,
    bytes: u64,
    storage_seconds: f64,
    trainer_seconds: f64,
    error_bytes: Option<f64>,
    error_storage_seconds: Option<f64>,
    error_trainer_seconds: Option<f64>,
}

/// Measures, writes the profile, and prints what is in it.
pub(crate) async fn dataset(args: &DatasetArgs, progress: &Progress) -> anyhow::Result<ProfileReport> {
    let samples = match (args.samples, args.all) {
        (_, true) => Samples::All,
        (Some(0), _) => bail!("--samples 0 measures nothing: give 1 or more"),
        (Some(count), _) => Samples::Count(count),
        (None, false) => Samples::Within(args.precision),
    };
    if !(args.precision > 0.0 && args.precision < 1.0) {
        bail!("--precision {} is no part of a total: give a number between 0 and 1, such as 0.02", args.precision);
    }
    let made = Made::open(args).await?;
    let making = made.making();
    let options = ProfileOptions {
        ways: ways_between(making.target(), |way| !Allowed::ways(&args.allow_cuts, &[way]).is_empty()),
        samples,
        repeats: args.repeats,
        seed: args.run.seed(),
        epoch: args.run.epoch(),
    };
    let bars = PhaseBars::new(progress);
    let told = |phase: Phase, more| bars.told(phase.title(), phase.total(), more);
    let profile = profile(made.dataset(), making, &options, &told).await?;
    drop(bars);
    profile_file::write(&args.out, &profile).with_context(|| format!("--out {}", args.out.display()))?;
    Ok(ProfileReport::new(args, &profile))
}

/// A dataset, and what is made of it.
enum Made {
    Tensors { dataset: Dataset, recipe: Box<Recipe> },
    Features { dataset: Dataset, model: Box<RegisteredModel>, here: Box<LocalExtractor> },
}

// === impl Made ===

impl Made {
    async fn open(args: &DatasetArgs) -> anyhow::Result<Self> {
        let (Some(name), Some(extractor)) = (&args.model, &args.extractor) else {
            let recipe = Box::new(args.run.recipe()?);
            return Ok(Self::Tensors { dataset: args.connect().await?, recipe });
        };
        if args.run.names_a_recipe() {
            return Err(UsageError("--model has a recipe of its own: leave --recipe out".to_owned()).into());
        }
        let dataset = args.connect().await?;
        let model = Box::new(dataset.registered_model(name)?);
        let (file, library) = (extractor.clone(), args.onnxruntime.clone());
        let here = LocalExtractor::open(file, model.info.clone(), dataset.options(), library).await?;
        Ok(Self::Features { dataset, model, here: Box::new(here) })
    }

    fn dataset(&self) -> &Dataset {
        match self {
            Self::Tensors { dataset, .. } | Self::Features { dataset, .. } => dataset,
        }
    }

    fn making(&self) -> Making<'_> {
        match self {
            Self::Tensors { recipe, .. } => Making::Tensors(recipe),
            Self::Features { model, here, .. } => Making::Features { model, here: &**here },
        }
    }
}

// === impl DatasetArgs ===

impl DatasetArgs {
    async fn connect(&self) -> anyhow::Result<Dataset> {
        self.served.connect(self.limit_bandwidth, self.served.options()).await
    }
}

// === impl ProfileReport ===

impl ProfileReport {
    fn new(args: &DatasetArgs, profile: &Profile) -> Self {
        let provenance = profile.provenance();
        let row = |(position, &way): (usize, &Way)| {
            let costs = (0..profile.len()).filter_map(|index| profile.cost(index, position));
            let fit = provenance.fits.iter().find(|fit| fit.way == way);
            Row {
                way,
                bytes: costs.clone().map(|cost| cost.bytes).sum(),
                storage_seconds: costs.clone().map(|cost| cost.storage_seconds).sum(),
                trainer_seconds: costs.map(|cost| cost.trainer_seconds).sum(),
                error_bytes: fit.and_then(|fit| fit.bytes),
                error_storage_seconds: fit.and_then(|fit| fit.storage_seconds),
                error_trainer_seconds: fit.and_then(|fit| fit.trainer_seconds),
            }
        };
        let overheads = provenance.overheads;
        Self {
            profile: args.out.display().to_string(),
            digest: profile.digest(),
            samples: profile.len() as u64,
            measured: provenance.measured,
            ways: profile.ways().iter().enumerate().map(row).collect(),
            envelope_bytes: overheads.envelope_bytes,
            envelope_per_byte: overheads.envelope_per_byte,
            receive_seconds: overheads.receive_seconds,
            receive_seconds_per_byte: overheads.receive_seconds_per_byte,
        }
    }
}

impl fmt::Display for ProfileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} samples, {} of them measured", self.samples, self.measured)?;
        write!(f, "{:18}  {:>12}  {:>11}  {:>11}  error of a sample", "all samples at", "MB", "storage, s", "here, s")?;
        for row in &self.ways {
            let percent =
                |error: Option<f64>| error.map_or_else(|| "-".to_owned(), |part| format!("{:.0} %", part * 100.0));
            let [bytes, storage, trainer] =
                [row.error_bytes, row.error_storage_seconds, row.error_trainer_seconds].map(percent);
            let (megabytes, there, here) = (row.bytes as f64 / 1e6, row.storage_seconds, row.trainer_seconds);
            write!(
                f,
                "\n{:18}  {megabytes:>12.2}  {there:>11.3}  {here:>11.3}  {bytes} of bytes, {storage} there, {trainer} here",
                row.way,
            )?;
        }
        write!(
            f,
            "\nbeside these, a sample takes {:.0} bytes and {:.0} us of a core here\nwritten to {}",
            self.envelope_bytes,
            self.receive_seconds * 1e6,
            self.profile
        )
    }
}
