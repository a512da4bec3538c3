//! The arguments of `tuner fine-tune`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use headwater_cli::FailureArgs;
use headwater_cli::exit::UsageError;
use headwater_cli::values::part_or_none;
use headwater_extraction::ServedModel;
use headwater_federation::FederationOptions;
use headwater_learn::{HeadKind, TrainOptions};
use headwater_plan::sync::Mode;
use headwater_training::TrainingOptions;
use headwater_types::{ByteCount, ModelName, Seed};

use super::features::FeaturesFrom;
use super::push::BasesArgs;
use super::rounds::RoundsArgs;

/// Train a classifier head on features, and save it as ONNX
///
/// The samples are shared out over --runs runs: while one is trained on, the servers extract the next. Photos need
/// labels, that is, one folder for each class.
#[derive(Clone, Debug, Args)]
#[command(after_help = HELP)]
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

    /// The same seed on the same dataset gives the same head, from servers or from the folder that extract filled. The
    /// same dataset is the same photos in the same partitions, with the servers named in the same order: the same
    /// dataset digest
    #[arg(long, help_heading = "Runs", value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Memory for the features of all runs so far; past it, each class keeps a fair share of them. The run that is
    /// being extracted, and the features kept for validation, may take as much again each
    #[arg(long, help_heading = "Runs", value_name = "SIZE", default_value = "1GiB")]
    pub(crate) replay_memory: ByteCount,

    #[command(flatten)]
    training: TrainingArgs,

    #[command(flatten)]
    pub(crate) rounds: RoundsArgs,

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

    /// Push the head to the servers that the features come from, and have it serve there by this name [default: head]
    #[arg(long, help_heading = "Push", value_name = "NAME", num_args = 0..=1, default_missing_value = "head")]
    pub(crate) push: Option<ModelName>,

    /// Have the servers label the dataset anew by the head that was pushed, and wait for that
    #[arg(long, help_heading = "Push")]
    pub(crate) relabel: bool,

    #[command(flatten, next_help_heading = "Push")]
    pub(crate) bases: BasesArgs,

    #[command(flatten, next_help_heading = "Output")]
    pub(crate) failures: FailureArgs,
}

const HELP: &str = "\
Examples:
  tuner fine-tune --servers 10.0.0.5:7440,10.0.0.6:7440 --dataset photos \\
      --model mobilenet --out head.onnx
  tuner fine-tune --servers 10.0.0.5:7440,10.0.0.6:7440 --dataset photos \\
      --model mobilenet --push cats --relabel
  tuner fine-tune --servers node1:7440,node2:7440,node3:7440 \\
      --dataset photos --model mobilenet --mode esync --run-log run.jsonl
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

    /// Features in one step [default: a 16th of the features, but 8 to 64; with --mode 64]
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
        } else if self.from.connection.plan.plan.is_some() {
            return Err(UsageError("--plan is for --servers: features from a folder are there already".to_owned()));
        } else if self.from.connection.plan.split().is_some() {
            let words = "--split-at and --split-by are for --servers: features from a folder are there already";
            return Err(UsageError(words.to_owned()));
        }
        if self.relabel && self.push.is_none() {
            return Err(UsageError("--relabel labels by the head that was pushed: give --push too".to_owned()));
        }
        if self.push.is_some() && self.from.features.is_some() {
            let words = "--push is for --servers: of features from a folder nobody knows the servers; use tuner push";
            return Err(UsageError(words.to_owned()));
        }
        self.from.connection.plan.check(self.join.is_some())?;
        self.rounds.check()?;
        if self.from.servers_are_fixed() {
            self.rounds.check_count(self.from.servers.len())?;
        }
        self.train_options().check().map_err(|error| UsageError(error.to_string()))
    }

    /// The dataset and the model, where features come from servers. What is to be joined is the extractor, where none
    /// is named.
    ///
    /// # Errors
    /// No servers, and files of certificates or a token that cannot be used.
    pub(crate) fn served_model(&self) -> anyhow::Result<ServedModel> {
        let mut served = self.from.servers()?.served_model(false)?;
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

    /// How so many workers train the head in rounds.
    pub(crate) fn federation(&self, mode: Mode, workers: usize) -> Result<FederationOptions, UsageError> {
        let served = self.from.servers()?;
        let (overlap, rule, epsilon, max_steps) = self.rounds.steps();
        let (min_workers, wait) = self.rounds.patience(workers);
        let batch_size = self.training.batch_size.map(|size| u32::try_from(size.get()).unwrap_or(u32::MAX));
        let options = FederationOptions {
            mode,
            overlap,
            rule,
            epsilon,
            max_steps,
            rounds: self.rounds.rounds.get(),
            head: self.head_kind(),
            local: self.rounds.local(batch_size),
            combining: self.rounds.combining(),
            dataset: served.dataset,
            model: served.model,
            split: self.rounds.dealt(),
            held_out: self.validation_fraction,
            seed: Seed(self.seed),
            min_workers,
            wait,
            checkpoint: Some(self.rounds.checkpoint(&self.out)),
        };
        options.check().map_err(|error| UsageError(error.to_string()))?;
        Ok(options)
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
