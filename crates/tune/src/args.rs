//! The tuner's command line.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use headwater_cli::exit::UsageError;
use headwater_cli::values::part_or_none;
use headwater_cli::{Common, FailureArgs, LimitArgs};
use headwater_client::{ClientOptions, ServerAddress};
use headwater_extraction::{Inference, ServedModel};
use headwater_learn::{HeadKind, TrainOptions};
use headwater_training::TrainingOptions;
use headwater_types::patience::CLIENT_PATIENCE;
use headwater_types::{BitsPerSecond, ByteCount, DatasetName, ModelName, Seed};

/// Turns photos on storage servers into features, and features into a trained head.
#[derive(Clone, Debug, Parser)]
#[command(name = "tuner", after_help = HELP)]
pub struct TunerArgs {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const HELP: &str = "\
Examples:
  tuner extract --servers node1:7440,node2:7440 --dataset photos \\
      --model mobilenet --out features
  tuner fine-tune --servers node1:7440,node2:7440 --dataset photos \\
      --model mobilenet --out head.onnx

Every flag is also a variable (--runs: HEADWATER_RUNS) and a key of
--config FILE.toml.";

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    Extract(ExtractArgs),
    FineTune(FineTuneArgs),
}

/// Write features and labels of a dataset to a folder of Parquet files
///
/// The folder is read as one table by pandas, pyarrow, DuckDB and others: key (text), label (text, null where there is
/// none), feature (fixed-size list of float32). Ctrl-C, SIGTERM and a closed terminal keep what has come; started again, it fetches only what
/// is missing. Samples that could not be read are listed in DIR/_failures.jsonl.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXTRACT_HELP)]
pub(crate) struct ExtractArgs {
    #[command(flatten)]
    pub(crate) servers: ServersArgs,

    /// Folder that takes the Parquet files; made where there is none
    #[arg(long, help_heading = "Output", value_name = "DIR", env = "HEADWATER_EXTRACT_OUT")]
    pub(crate) out: PathBuf,

    /// Drop the features that the folder holds, and begin anew
    #[arg(long, help_heading = "Output")]
    pub(crate) overwrite: bool,

    /// Try again every sample that failed before, not only those whose server or store could not be read just then
    #[arg(long, help_heading = "Output")]
    pub(crate) retry_failed: bool,

    /// Write features that are not finite (NaN or an infinity) too, where without this their samples fail; with --retry-failed also those
    /// of samples that failed so before
    #[arg(long, help_heading = "Output")]
    pub(crate) allow_non_finite: bool,

    /// Samples in one Parquet file; about two files for each server are held in memory, each taking ROWS x feature length
    /// x 4 bytes, and are lost when the tuner is killed with SIGKILL
    #[arg(long, help_heading = "Output", value_name = "ROWS", default_value = "4096")]
    pub(crate) part_rows: NonZeroU64,

    #[command(flatten, next_help_heading = "Output")]
    pub(crate) failures: FailureArgs,
}

const EXTRACT_HELP: &str = "\
Examples:
  tuner extract --servers 10.0.0.5:7440,10.0.0.6:7440 --dataset photos \\
      --model mobilenet --out features
  python3 -c 'import pandas; print(pandas.read_parquet(\"features\"))'
  tuner extract --servers 10.0.0.5:7440,10.0.0.6:7440 --dataset photos \\
      --model mobilenet --out features \\
      --plan auto --extractor mobilenet.onnx";

/// Train a classifier head on features, and save it as ONNX
///
/// The samples are shared out over --runs runs: while one is trained on, the servers extract the next. Photos need labels,
/// that is, one folder for each class.
#[derive(Clone, Debug, Args)]
#[command(after_help = FINE_TUNE_HELP)]
pub(crate) struct FineTuneArgs {
    #[command(flatten)]
    pub(crate) from: FeaturesFrom,

    /// Runs that the samples are shared out over; at most as many as there are samples
    #[arg(long, help_heading = "Runs", default_value = "3")]
    pub(crate) runs: NonZeroU32,

    /// Share of the samples, 0 to below 1, that is kept from training to judge the head by; which ones is decided by a
    /// hash of seed and key. With 0 there is no early stopping
    #[arg(long, help_heading = "Runs", value_name = "SHARE", default_value = "0.2", value_parser = part_or_none)]
    pub(crate) validation_fraction: f64,

    /// The same seed on the same dataset gives the same head, from servers or from the folder that extract filled. The same
    /// dataset is the same photos in the same partitions, with the servers named in the same order: the same dataset digest
    #[arg(long, help_heading = "Runs", value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Memory for the features of all runs so far; past it, each class keeps a fair share of them. The run that is being
    /// extracted, and the features kept for validation, may take as much again each
    #[arg(long, help_heading = "Runs", value_name = "SIZE", default_value = "1GiB")]
    pub(crate) replay_memory: ByteCount,

    #[command(flatten)]
    training: TrainingArgs,

    /// File that takes the head: input `features` [N, D], outputs `probs` and `logits` [N, classes]
    #[arg(
        long,
        help_heading = "Output",
        value_name = "FILE.onnx",
        default_value = "head.onnx",
        env = "HEADWATER_FINE_TUNE_OUT"
    )]
    pub(crate) out: PathBuf,

    /// The extractor's file, to be joined to the head: it must be the one that the servers have registered
    #[arg(long, help_heading = "Output", value_name = "FILE.onnx")]
    pub(crate) join: Option<PathBuf>,

    /// File that takes extractor and head as one model
    #[arg(long, help_heading = "Output", value_name = "FILE.onnx")]
    pub(crate) joined_out: Option<PathBuf>,

    #[command(flatten, next_help_heading = "Output")]
    pub(crate) failures: FailureArgs,
}

const FINE_TUNE_HELP: &str = "\
Examples:
  tuner fine-tune --servers 10.0.0.5:7440,10.0.0.6:7440 --dataset photos \\
      --model mobilenet --out head.onnx
  tuner fine-tune --features features --head mlp --hidden 512 \\
      --out head.onnx
  tuner fine-tune --features features --out head.onnx \\
      --join mobilenet.onnx --joined-out classifier.onnx";

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Head and training")]
struct TrainingArgs {
    /// Kind of head
    #[arg(long, value_enum, default_value_t)]
    head: HeadName,

    /// Units of the hidden layer of `--head mlp` [default: 256]
    #[arg(long, value_name = "UNITS")]
    hidden: Option<NonZeroUsize>,

    /// Most passes over the features in each run
    #[arg(long, default_value_t = TrainOptions::default().epochs)]
    epochs: u32,

    /// Peak learning rate of AdamW; it rises from 0 at first, and falls along a cosine
    #[arg(long, value_name = "RATE", default_value_t = TrainOptions::default().learning_rate)]
    learning_rate: f32,

    /// Weight decay of AdamW
    #[arg(long, value_name = "DECAY", default_value_t = TrainOptions::default().weight_decay)]
    weight_decay: f32,

    /// Features in one step [default: a 16th of the features, but 8 to 64]
    #[arg(long, value_name = "FEATURES")]
    batch_size: Option<NonZeroUsize>,

    /// Epochs without a better validation loss after which a run's training ends
    #[arg(long, value_name = "EPOCHS", default_value_t = TrainOptions::default().patience)]
    patience: u32,
}

/// Units of a hidden layer, where nobody says.
const HIDDEN: usize = 256;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum HeadName {
    /// One layer: softmax regression
    #[default]
    Softmax,
    /// One hidden layer with a rectifier
    Mlp,
}

/// A dataset and a model on storage servers.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Servers")]
pub(crate) struct ServersArgs {
    /// Storage servers, separated by commas; the dataset is their partitions in this order
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', required = true)]
    pub(crate) servers: Vec<ServerAddress>,

    /// The dataset's name
    #[arg(long, value_name = "NAME")]
    pub(crate) dataset: DatasetName,

    /// The extractor's name, as it is registered on the servers
    #[arg(long, value_name = "NAME")]
    pub(crate) model: ModelName,

    /// Time without a sample from a server, in seconds, after which the tuner gives up; until then a server that is
    /// restarted is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = GIVE_UP_AFTER)]
    pub(crate) give_up_after: u32,

    /// Go on without the samples of partitions that no server serves (--partition K/N of storage-server); without this they are an error
    #[arg(long)]
    pub(crate) allow_partial: bool,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,

    #[command(flatten)]
    pub(crate) plan: PlanArgs,
}

/// Where samples are inferred: at the servers, or here.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Plan")]
pub(crate) struct PlanArgs {
    /// Let a plan say of each sample whether it comes as features, or as pixels that are inferred here: a file that `profiler plan`
    /// has made from a profile with --model; or auto, which profiles a little, plans, and plans anew on the way. Without one,
    /// servers infer all
    #[arg(long, value_name = "FILE|auto")]
    pub(crate) plan: Option<PathBuf>,

    /// Time that --plan auto may take to measure, in seconds. A job that is too short for that is not planned: servers infer all that they can
    /// [default: a twentieth of what the job is estimated to take]
    #[arg(long, value_name = "SECONDS", value_parser = headwater_cli::values::seconds)]
    pub(crate) profile_seconds: Option<Duration>,

    /// The model's file, to infer here what comes as pixels: the one that the servers have registered
    #[arg(long, value_name = "FILE.onnx")]
    pub(crate) extractor: Option<PathBuf>,

    /// ONNX Runtime's shared library, for --extractor; looked for in ORT_DYLIB_PATH, beside the program and in .venv if not given
    #[arg(long, value_name = "FILE")]
    pub(crate) onnxruntime: Option<PathBuf>,

    /// Threads that infer here, on the CPU [default: one for each core]
    #[arg(long, value_name = "N", value_parser = headwater_cli::values::threads)]
    pub(crate) inference_workers: Option<NonZeroUsize>,

    /// Receive at most so much, from all servers together: 100Mbps [default: not limited]
    #[arg(long, value_name = "BANDWIDTH")]
    pub(crate) limit_bandwidth: Option<BitsPerSecond>,
}

const GIVE_UP_AFTER: u32 = CLIENT_PATIENCE.as_secs() as u32;

/// Storage servers, or a folder that an extraction has filled.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Features")]
pub(crate) struct FeaturesFrom {
    /// Storage servers, separated by commas; the dataset is their partitions in this order
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',')]
    servers: Vec<ServerAddress>,

    /// The dataset's name
    #[arg(long, value_name = "NAME")]
    dataset: Option<DatasetName>,

    /// The extractor's name, as it is registered on the servers
    #[arg(long, value_name = "NAME")]
    model: Option<ModelName>,

    /// Time without a sample from a server, in seconds, after which the tuner gives up; until then a server that is
    /// restarted is waited for
    #[arg(long, value_name = "SECONDS", default_value_t = GIVE_UP_AFTER)]
    give_up_after: u32,

    /// Go on without the samples of partitions that no server serves (--partition K/N of storage-server); without this they are an error
    #[arg(long)]
    allow_partial: bool,

    #[command(flatten)]
    limits: LimitArgs,

    #[command(flatten)]
    pub(crate) plan: PlanArgs,

    /// Take the features from this folder, which `tuner extract` has filled, and not from servers
    #[arg(long, value_name = "DIR", help_heading = "Features")]
    pub(crate) features: Option<PathBuf>,
}

// === impl TunerArgs ===

impl TunerArgs {
    /// The flags that every program has.
    pub fn common(&self) -> &Common {
        &self.common
    }

    /// Whether results and errors are for a program.
    pub fn json(&self) -> bool {
        self.common.json
    }
}

// === impl ExtractArgs ===

impl ExtractArgs {
    /// What clap cannot see, since values may come from a file or a variable.
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        if self.overwrite && self.retry_failed {
            let words = "--overwrite begins anew, so that --retry-failed has nothing to try again: give one";
            return Err(UsageError(words.to_owned()));
        }
        self.servers.plan.check()
    }

    /// The dataset and the model that features are extracted with.
    pub(crate) fn served_model(&self) -> ServedModel {
        self.servers.served_model(self.allow_non_finite)
    }
}

// === impl FineTuneArgs ===

impl FineTuneArgs {
    /// What clap cannot see, since values may come from a file or a variable.
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        if self.training.hidden.is_some() && self.training.head != HeadName::Mlp {
            return Err(UsageError("--hidden is of --head mlp: give that too, or leave --hidden out".to_owned()));
        }
        if self.join.is_some() != self.joined_out.is_some() {
            return Err(UsageError("--join and --joined-out go together: give both or neither".to_owned()));
        }
        if self.from.features.is_none() {
            self.from.servers()?;
        } else if !self.from.servers.is_empty() {
            return Err(UsageError("--features and --servers exclude each other: give one".to_owned()));
        } else if self.from.plan.plan.is_some() {
            return Err(UsageError("--plan is for --servers: features from a folder are there already".to_owned()));
        }
        self.from.plan.check()?;
        self.train_options().check().map_err(|error| UsageError(error.to_string()))
    }

    /// The dataset and the model, where features come from servers. What is to be joined is the extractor, where none is named.
    pub(crate) fn served_model(&self) -> Result<ServedModel, UsageError> {
        let mut served = self.from.servers()?.served_model(false);
        served.inference.extractor = served.inference.extractor.or_else(|| self.join.clone());
        Ok(served)
    }

    /// How features are shared out, and how the head learns from them.
    pub(crate) fn training_options(&self) -> TrainingOptions {
        TrainingOptions {
            validation_fraction: self.validation_fraction,
            memory: self.replay_memory,
            head: self.head_kind(),
            train: self.train_options(),
        }
    }

    pub(crate) fn head_kind(&self) -> HeadKind {
        match self.training.head {
            HeadName::Softmax => HeadKind::Softmax,
            HeadName::Mlp => HeadKind::Mlp { hidden: self.training.hidden.map_or(HIDDEN, NonZeroUsize::get) },
        }
    }

    pub(crate) fn train_options(&self) -> TrainOptions {
        let TrainingArgs { epochs, learning_rate, weight_decay, batch_size, patience, .. } = self.training;
        let (seed, batch_size) = (Seed(self.seed), batch_size.map(NonZeroUsize::get));
        TrainOptions { epochs, learning_rate, weight_decay, batch_size, patience, seed, ..TrainOptions::default() }
    }
}

// === impl ServersArgs ===

impl ServersArgs {
    /// The dataset and the model, and how the servers are connected to. `allow_non_finite`: features that are not finite are taken too.
    fn served_model(&self, allow_non_finite: bool) -> ServedModel {
        let mut client = ClientOptions { bandwidth: self.plan.limit_bandwidth, ..ClientOptions::default() };
        client.cpu_workers = self.plan.inference_workers.unwrap_or(client.cpu_workers);
        client.retry.give_up_after = Duration::from_secs(self.give_up_after.into());
        client.retry.connect_for = client.retry.connect_for.min(client.retry.give_up_after);
        client.allow_partial = self.allow_partial;
        client.limits = self.limits.limits();
        client.allow_non_finite = allow_non_finite;
        ServedModel {
            servers: self.servers.clone(),
            dataset: self.dataset.clone(),
            model: self.model.clone(),
            client,
            inference: self.plan.inference(),
        }
    }
}

// === impl PlanArgs ===

impl PlanArgs {
    /// Where samples are inferred.
    fn inference(&self) -> Inference {
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

// === impl FeaturesFrom ===

impl FeaturesFrom {
    /// The servers, where features come from servers.
    pub(crate) fn servers(&self) -> Result<ServersArgs, UsageError> {
        let Self { servers, dataset: Some(dataset), model: Some(model), .. } = self else {
            return Err(Self::nowhere());
        };
        if servers.is_empty() {
            return Err(Self::nowhere());
        }
        Ok(ServersArgs {
            servers: servers.clone(),
            dataset: dataset.clone(),
            model: model.clone(),
            give_up_after: self.give_up_after,
            allow_partial: self.allow_partial,
            limits: self.limits,
            plan: self.plan.clone(),
        })
    }

    fn nowhere() -> UsageError {
        UsageError(
            "there is nothing to learn from: give --servers, --dataset and --model, or --features DIR".to_owned(),
        )
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn fine_tune(arguments: &[&str]) -> FineTuneArgs {
        let arguments = ["tuner", "fine-tune"].iter().chain(arguments);
        match TunerArgs::try_parse_from(arguments).unwrap().command {
            Command::FineTune(args) => args,
            Command::Extract(_) => panic!("another subcommand"),
        }
    }

    const SERVERS: [&str; 6] = ["--servers", "a:1,b:2", "--dataset", "d", "--model", "m"];

    #[test]
    fn the_contract_of_the_command_line_is_understood() {
        <TunerArgs as clap::CommandFactory>::command().debug_assert();
        let extract = [&["tuner", "extract"][..], &SERVERS, &["--out", "o", "--json"]].concat();
        let extract = TunerArgs::try_parse_from(extract).unwrap();
        assert!(extract.json());
        let rest = ["--runs", "3", "--validation-fraction", "0.2", "--seed", "1", "--out", "head.onnx", "--json"];
        let args = fine_tune(&[&SERVERS[..], &rest].concat());
        args.check().unwrap();
        assert_eq!(args.from.servers().unwrap().servers.len(), 2);
        assert_eq!(args.head_kind(), HeadKind::Softmax);
        assert_eq!(args.train_options(), TrainOptions { seed: Seed(1), ..TrainOptions::default() });
    }

    #[test]
    fn what_is_to_be_joined_is_the_extractor_where_none_is_named() {
        let joined = ["--join", "m.onnx", "--joined-out", "c.onnx", "--plan", "auto"];
        let extractor = |more: &[&str]| {
            let args = fine_tune(&[&SERVERS[..], &joined, more].concat());
            args.check().unwrap();
            args.served_model().unwrap().inference.extractor
        };
        assert_eq!(extractor(&[]), Some("m.onnx".into()));
        assert_eq!(extractor(&["--extractor", "n.onnx"]), Some("n.onnx".into()));
    }

    #[test]
    fn what_contradicts_itself_is_refused_in_words() {
        for (arguments, words) in [
            (&["--features", "f", "--hidden", "5"][..], "--head mlp"),
            (&["--features", "f", "--join", "x"], "--joined-out"),
            (&["--features", "f", "--servers", "a:1"], "exclude each other"),
            (&["--features", "f", "--learning-rate", "0"], "learning rate is 0"),
            (&["--features", "f", "--plan", "auto"], "--plan is for --servers"),
            (&[&SERVERS[..], &["--extractor", "m.onnx"]].concat(), "--extractor without --plan"),
            (&[&SERVERS[..], &["--inference-workers", "2"]].concat(), "--inference-workers without --plan"),
            (&[&SERVERS[..], &["--plan", "p", "--profile-seconds", "2"]].concat(), "without --plan auto"),
            (&["--servers", "a:1"], "nothing to learn from"),
            (&[], "nothing to learn from"),
        ] {
            let error = fine_tune(arguments).check().unwrap_err().to_string();
            assert!(error.contains(words), "{arguments:?}: {error}");
        }
    }
}
