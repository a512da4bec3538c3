//! How several servers train one head together.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use headwater_cli::exit::UsageError;
use headwater_cli::values::{seconds, some_seconds};
use headwater_client::training_calls::{Split, SplitRule};
use headwater_federation::{Combining, Local};
use headwater_plan::sync::{Average, Mode, RuleName};

/// How several servers train one head together, each on its own features.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Training on the servers (--mode)")]
pub(crate) struct RoundsArgs {
    /// Train in rounds. esync: each server takes as many steps on its own features as it can until the slow ones have
    /// taken some, then all are averaged. sync: one step each, then the average. async: each server's steps count as
    /// they come. local: on one server. central: here, on features that the servers send
    #[arg(long, value_name = "MODE", env = "HEADWATER_FINE_TUNE_MODE", value_parser = modes(),
          conflicts_with_all = ["features", "runs", "epochs", "learning_rate", "weight_decay", "patience",
                                "replay_memory", "plan", "split_at", "split_by"])]
    pub(crate) mode: Option<Mode>,

    /// Rounds; of async, as many exchanges as there are servers are one; of local and central, a pass over the features
    #[arg(long, value_name = "N", default_value = "50")]
    pub(crate) rounds: NonZeroU64,

    /// Learning rate of the servers' steps, plain gradient descent with --momentum
    #[arg(long, value_name = "RATE", default_value_t = 0.01)]
    local_lr: f32,

    /// How much of the last step's velocity the next one keeps, 0 to below 1; each round of a server begins at rest. In
    /// sync it is the momentum of the averaged steps
    #[arg(long, value_name = "SHARE", default_value_t = 0.9)]
    momentum: f32,

    /// By what the average of the servers' ways is multiplied
    #[arg(long, value_name = "RATE", default_value_t = 1.0)]
    global_lr: f32,

    /// How much of the last round's movement the next one keeps, 0 to below 1 (async: delayed Nesterov) [default: 0]
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, hide_default_value = true)]
    global_momentum: f32,

    /// How servers are averaged. normalized: each way divided by its steps, by the share of all features that the
    /// server has, so that fast servers do not pull towards their own data. samples: by the features trained on in the
    /// round. uniform: all alike [default: normalized where servers have other classes than each other, else samples]
    #[arg(long, value_name = "RULE", value_parser = averages())]
    average: Option<Average>,

    /// Of async: how much of each way is changed for what has happened to the weights meanwhile, from its own square
    /// (DC-ASGD's lambda); 0 for nothing
    #[arg(long, value_name = "LAMBDA", default_value_t = 0.0, hide_default_value = true)]
    delay_compensation: f32,

    /// Of esync: how far the weights of a server may move in a round, relative to those that it was given; rounds get
    /// shorter until they keep to it [default: 0.1 where servers have other classes than each other, else no limit]
    #[arg(long, value_name = "RATIO")]
    drift_limit: Option<f64>,

    /// Of esync, where servers have other classes than each other: leave steps as they are, and do not correct them for
    /// what each server's own data pull to
    #[arg(long)]
    no_drift_correction: bool,

    /// Most steps of a server in a round; of local and central, its steps [default: 1024, or as often as the slowest
    /// server's step is longer than the fastest's; of local and central, a pass over the features]
    #[arg(long, value_name = "STEPS")]
    max_steps: Option<NonZeroU32>,

    /// Send a round's weights while the next round is computed: nobody waits for the network, and weights are a round
    /// older
    #[arg(long)]
    overlap: bool,

    /// Whose rule gives the steps of esync: headwater's, or that of ESync's paper
    #[arg(long, value_name = "RULE", default_value = "headwater", value_parser = rules())]
    sync_rule: RuleName,

    /// ESync's epsilon, for --sync-rule paper
    #[arg(long, value_name = "SECONDS", default_value = "0.5", value_parser = seconds)]
    paper_epsilon: Duration,

    /// For experiments: deal the dataset anew, where every server serves all of it: iid, or by-class, each server few
    /// classes [default: each server trains on what it serves]
    #[arg(long, value_name = "RULE", value_parser = splits())]
    split: Option<SplitRule>,

    /// Begin as soon as so many servers are ready; the others join when they come [default: all]
    #[arg(long, value_name = "SERVERS")]
    min_workers: Option<NonZeroUsize>,

    /// For how long servers that are not ready are waited for at the start, since the last word of any
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = some_seconds)]
    wait_for_workers: Duration,

    /// File that takes the run's log, a JSON object in each line, for profiler report sync. --log FILE.jsonl means the
    /// same: no filter of messages ends so
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) run_log: Option<PathBuf>,

    /// File in which the run's state is kept, so that the same command goes on after it was killed; it goes once the
    /// head is saved [default: the file of --out with .checkpoint]
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,

    /// Begin anew, whatever is in the checkpoint
    #[arg(long)]
    pub(crate) from_scratch: bool,
}

/// Features of a step, where nobody says.
pub(crate) const BATCH: u32 = 64;

// === impl RoundsArgs ===

impl RoundsArgs {
    /// What clap cannot see.
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        let Some(mode) = self.mode else { return self.without_mode() };
        let wrong = |words: &str| Err(UsageError(words.to_owned()));
        if mode == Mode::Central && (self.split.is_some() || self.min_workers.is_some()) {
            return wrong("--split and --min-workers deal samples to servers: --mode central brings all here");
        }
        if self.overlap && !matches!(mode, Mode::Esync | Mode::Sync) {
            return wrong("--overlap is of --mode esync and sync: in the others nobody waits for others");
        }
        let of = |mode_of: Mode, given: bool, flag: &str| match given && mode != mode_of {
            true => Err(UsageError(format!("{flag} is of --mode {mode_of}: leave it out, or give that mode"))),
            false => Ok(()),
        };
        of(Mode::Async, self.delay_compensation != 0.0, "--delay-compensation")?;
        of(Mode::Esync, self.drift_limit.is_some(), "--drift-limit")?;
        of(Mode::Esync, self.no_drift_correction, "--no-drift-correction")?;
        of(Mode::Esync, self.sync_rule == RuleName::Paper, "--sync-rule paper")?;
        match mode == Mode::Async && self.average.is_some() {
            true => wrong("--average is of rounds: --mode async averages nothing"),
            false => Ok(()),
        }
    }

    /// Without a mode there are no rounds, and nothing of them may be given.
    /// Whether so many servers are enough, and not too many.
    pub(crate) fn check_count(&self, servers: usize) -> Result<(), UsageError> {
        if self.mode == Some(Mode::Local) && servers != 1 {
            return Err(UsageError("--mode local trains on one server: name one in --servers".to_owned()));
        }
        if self.min_workers.is_some_and(|least| least.get() > servers) {
            return Err(UsageError(format!("--min-workers is more than the {servers} servers of --servers")));
        }
        Ok(())
    }

    fn without_mode(&self) -> Result<(), UsageError> {
        let given = [
            ("--average", self.average.is_some()),
            ("--drift-limit", self.drift_limit.is_some()),
            ("--no-drift-correction", self.no_drift_correction),
            ("--max-steps", self.max_steps.is_some()),
            ("--overlap", self.overlap),
            ("--split", self.split.is_some()),
            ("--min-workers", self.min_workers.is_some()),
            ("--run-log", self.run_log.is_some()),
            ("--checkpoint", self.checkpoint.is_some()),
            ("--from-scratch", self.from_scratch),
            ("--global-momentum", self.global_momentum != 0.0),
            ("--delay-compensation", self.delay_compensation != 0.0),
            ("--sync-rule paper", self.sync_rule == RuleName::Paper),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) => Err(UsageError(format!("{flag} is of training in rounds: give --mode too"))),
            None => Ok(()),
        }
    }

    /// How each worker steps.
    pub(crate) fn local(&self, batch_size: Option<u32>) -> Local {
        let batch_size = batch_size.unwrap_or(BATCH);
        Local { learning_rate: self.local_lr, momentum: self.momentum, batch_size }
    }

    /// How their ways become one.
    pub(crate) fn combining(&self) -> Combining {
        Combining {
            average: self.average,
            learning_rate: self.global_lr,
            momentum: self.global_momentum,
            delay_compensation: self.delay_compensation,
            drift_limit: self.drift_limit,
            correct_drift: !self.no_drift_correction,
        }
    }

    /// How samples are dealt.
    pub(crate) fn dealt(&self) -> Split {
        self.split.map_or(Split::Held, Split::Dealt)
    }

    /// Whether exchanges overlap, whose rule gives the steps, with which epsilon, and how many at most.
    pub(crate) fn steps(&self) -> (bool, RuleName, Duration, Option<NonZeroU32>) {
        (self.overlap, self.sync_rule, self.paper_epsilon, self.max_steps)
    }

    /// How many servers have to be there, and for how long they are waited for.
    pub(crate) fn patience(&self, servers: usize) -> (usize, Duration) {
        (self.min_workers.map_or(servers, NonZeroUsize::get), self.wait_for_workers)
    }

    /// The file of the run's state, beside that of the head where none is named.
    pub(crate) fn checkpoint(&self, out: &std::path::Path) -> PathBuf {
        self.checkpoint.clone().unwrap_or_else(|| {
            let mut name = out.as_os_str().to_owned();
            name.push(".checkpoint");
            name.into()
        })
    }
}

fn modes() -> impl clap::builder::TypedValueParser<Value = Mode> {
    PossibleValuesParser::new(Mode::ALL.map(Mode::as_str)).try_map(|name| name.parse::<Mode>())
}

fn averages() -> impl clap::builder::TypedValueParser<Value = Average> {
    PossibleValuesParser::new(Average::ALL.map(Average::as_str)).try_map(|name| name.parse::<Average>())
}

fn rules() -> impl clap::builder::TypedValueParser<Value = RuleName> {
    PossibleValuesParser::new(RuleName::ALL.map(RuleName::as_str)).try_map(|name| name.parse::<RuleName>())
}

fn splits() -> impl clap::builder::TypedValueParser<Value = SplitRule> {
    let names = [SplitRule::Iid, SplitRule::ByClass].map(SplitRule::as_str);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<SplitRule>())
}
