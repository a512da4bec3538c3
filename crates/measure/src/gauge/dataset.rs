//! `profiler dataset`: what every sample costs at every way.

use std::fmt;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_cli::outputs::Written;
use headwater_cli::settings::Findings;
use headwater_cli::values::{part, seconds};
use headwater_cli::{FailureArgs, Failures, GrowingBar, Outcome, Outputs, Progress};
use headwater_client::{ClientError, Dataset, RegisteredModel};
use headwater_infer::LocalExtractor;
use headwater_pilot::{Headway, Making, ProfileOptions, Samples, profile, ways_between};
use headwater_plan::{Allowed, Cost, Profile};
use headwater_types::{BitsPerSecond, ModelName, Recipe, SampleIndex, Way};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

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

    #[command(flatten)]
    failures: FailureArgs,

    /// Profile for this model's features, in place of a recipe's tensors; its own recipe holds
    #[arg(long, value_name = "NAME")]
    model: Option<ModelName>,

    /// The model's file: the one that the servers have registered
    #[arg(long, value_name = "FILE.onnx")]
    extractor: Option<PathBuf>,

    /// ONNX Runtime's shared library; looked for in ORT_DYLIB_PATH, beside the program, in ../lib/headwater and in .venv if not given
    #[arg(long, visible_alias = "ort-library", value_name = "FILE")]
    onnxruntime: Option<PathBuf>,

    /// The file to write the profile to, as Parquet
    #[arg(long, env = "HEADWATER_DATASET_OUT", value_name = "FILE")]
    out: PathBuf,

    /// Measure so many samples [default: as many as --precision takes]
    #[arg(long, value_name = "N")]
    samples: Option<NonZeroU64>,

    /// Measure every sample
    #[arg(long)]
    all: bool,

    /// Measure as many samples as it takes to know all totals within this part of them, with 95 % confidence
    /// [default: 0.02]
    #[arg(long, value_name = "PART", value_parser = part)]
    precision: Option<f64>,

    /// Times that each sample is measured at each cut; the median counts. More samples say more than more times
    #[arg(long, value_name = "N", default_value = "1")]
    repeats: NonZeroUsize,

    /// Time that it may take, in seconds; the first 32 samples of each cut are measured in any case
    /// [default: 60 with --precision, as long as it takes with --samples or --all]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    profile_seconds: Option<Duration>,

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
    /// Those that were measured at some way, each so many times.
    measured: u64,
    repeats: usize,
    /// What measuring took.
    seconds: f64,
    /// Photos whose headers cannot be read, and why.
    failed: u64,
    failures: Failures,
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
    /// Samples that were measured at it.
    measured: u64,
    /// Samples of which it is known what they cost at it: the sums are of these, and plans cut no other sample so.
    known: u64,
    /// By how much its total bytes are expected to be off at most, as a part of them, and its CPU seconds, as a part of what ways take on
    /// average, with 95 % confidence: the largest of them. Null where nothing is known of that, 0 where every sample was measured.
    total_error: Option<f64>,
    bytes: u64,
    storage_seconds: f64,
    trainer_seconds: f64,
    error_bytes: Option<f64>,
    error_storage_seconds: Option<f64>,
    error_trainer_seconds: Option<f64>,
}

/// Measures, and writes the profile. Where it is stopped, nothing is written: a profile without the headers of some samples is
/// nothing to plan from, and the fit of few measurements is nobody's wish.
pub(crate) async fn dataset(
    args: &DatasetArgs,
    progress: &Progress,
    stop: &CancellationToken,
) -> anyhow::Result<Outcome<ProfileReport>> {
    let samples = args.samples()?;
    let output = Outputs::new().reading("--extractor", args.extractor.as_deref()).file("--out", &args.out)?;
    let begin = Instant::now();
    let measured = stop.run_until_cancelled(Box::pin(measure(args, samples, progress))).await;
    let Some((profile, failures)) = measured.transpose()? else {
        bail!(
            "stopped before the profile was whole: nothing was written to {}; --samples N measures fewer",
            args.out.display()
        );
    };
    let took = begin.elapsed();
    let Written { path, fault } = headwater_tables::profile::write(output, &profile)?;
    let few_enough = failures.check(profile.len() as u64, args.failures.max_failures);
    let report = ProfileReport::new(&path, &profile, failures, (args.repeats.get(), took));
    Ok(match fault {
        Some(fault) => Outcome::short(report, fault),
        None => Outcome::of(report, few_enough),
    })
}

async fn measure(args: &DatasetArgs, samples: Samples, progress: &Progress) -> anyhow::Result<(Profile, Failures)> {
    let made = Made::open(args).await?;
    let making = made.making();
    let options = ProfileOptions {
        ways: ways_between(making.target(), |way| !Allowed::ways(&args.allow_cuts, &[way]).is_empty()),
        samples,
        repeats: args.repeats.get(),
        budget: args.profile_seconds.or(matches!(samples, Samples::Within(_)).then_some(UNASKED)),
        address: args.run.address(),
    };
    let bar = GrowingBar::new(progress, "profile");
    let on_progress = |headway: Headway| bar.update(headway.done, headway.total);
    let profile = profile(made.dataset(), making, &options, &on_progress).await?;
    let failures = unreadable(made.dataset(), &profile).await?;
    Ok((profile, failures))
}

/// The photos whose headers cannot be read: a plan has them come as they are stored.
async fn unreadable(dataset: &Dataset, profile: &Profile) -> Result<Failures, ClientError> {
    let has_header = |index: &usize| profile.facts(*index).is_some_and(|facts| facts.width.is_some());
    let without = (0..profile.len()).filter(|index| !has_header(index));
    let without: Vec<_> = without.map(|index| SampleIndex(index as u64)).collect();
    let mut failures = Failures::default();
    for surveyed in dataset.survey(&without, |_| {}).await? {
        if let Err(failure) = surveyed.outcome {
            failures.add(failure.kind, surveyed.index, surveyed.key.as_ref().map(|key| key.as_str()));
        }
    }
    Ok(failures)
}

/// Of totals, where nobody says.
const PRECISION: f64 = 0.02;

// === impl DatasetArgs ===

impl DatasetArgs {
    /// Which samples are measured, if the arguments fit together: clap sees only those that are flags.
    pub(crate) fn samples(&self) -> Result<Samples, UsageError> {
        let wrong = |words: &str| Err(UsageError(words.to_owned()));
        match (&self.model, &self.extractor) {
            (Some(_), None) => return wrong("--model needs --extractor FILE.onnx, to infer samples here too"),
            (None, Some(_)) => return wrong("--extractor needs --model NAME: without one no features are profiled"),
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
}
/// What measuring may take where neither its time nor its samples are said.
const UNASKED: Duration = Duration::from_secs(60);

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
    fn new(out: &Path, profile: &Profile, failures: Failures, (repeats, took): (usize, Duration)) -> Self {
        let provenance = profile.provenance();
        let seconds = |of: fn(Cost) -> f64| -> Vec<f64> {
            let total = |position| (0..profile.len()).filter_map(|index| profile.cost(index, position)).map(of).sum();
            (0..profile.ways().len()).map(total).collect()
        };
        let (there, here) = (seconds(|cost| cost.storage_seconds), seconds(|cost| cost.trainer_seconds));
        let weight = |of: &[f64], position: usize| {
            let average = of.iter().sum::<f64>() / of.len() as f64;
            if average > 0.0 { of[position] / average } else { 0.0 }
        };
        let row = |(position, &way): (usize, &Way)| {
            let weights = [1.0, weight(&there, position), weight(&here, position)];
            let costs = (0..profile.len()).filter_map(|index| profile.cost(index, position));
            let fit = provenance.fits.iter().find(|fit| fit.way == way);
            Row {
                way,
                measured: fit.and_then(|fit| fit.measured).unwrap_or(profile.len() as u64),
                total_error: fit.map_or(Some(0.0), |fit| fit.error_of_total(profile.len() as u64, weights)),
                known: costs.clone().count() as u64,
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
            profile: out.display().to_string(),
            digest: profile.digest(),
            samples: profile.len() as u64,
            measured: provenance.measured,
            repeats,
            seconds: took.as_secs_f64(),
            failed: failures.count(),
            failures,
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
        let Self { samples, measured, repeats, seconds, .. } = self;
        let times = if *repeats == 1 { "once".to_owned() } else { format!("{repeats} times") };
        writeln!(f, "{samples} samples, {measured} of them measured, {times} at each way, in {seconds:.1} s")?;
        write!(
            f,
            "{:18}  {:>8}  {:>9}  {:>11}  {:>8}  {:>12}  error of one: bytes, there, here",
            "all samples at", "measured", "MB", "storage, s", "here, s", "all within"
        )?;
        for row in &self.ways {
            let percent =
                |error: Option<f64>| error.map_or_else(|| "-".to_owned(), |part| format!("{:.0} %", part * 100.0));
            let [bytes, storage, trainer] =
                [row.error_bytes, row.error_storage_seconds, row.error_trainer_seconds].map(percent);
            let (megabytes, there, here) = (row.bytes as f64 / 1e6, row.storage_seconds, row.trainer_seconds);
            let within = row.total_error.map_or_else(|| "-".to_owned(), |part| format!("{:.1} %", part * 100.0));
            write!(
                f,
                "\n{:18}  {:>8}  {megabytes:>9.2}  {there:>11.3}  {here:>8.3}  {within:>12}  {bytes}, {storage}, {trainer}",
                row.way, row.measured,
            )?;
        }
        for row in self.ways.iter().filter(|row| row.known < *samples) {
            write!(
                f,
                "\n{}: known of {} samples only, and summed over these; plans cut no other so",
                row.way, row.known
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
