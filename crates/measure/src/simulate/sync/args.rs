//! The arguments of `profiler simulate sync`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use headwater_cli::exit::UsageError;
use headwater_cli::values::seconds;
use headwater_plan::sync::{Mode, RuleName};

const EXAMPLES: &str = "\
Examples:
  profiler simulate sync --workers cluster.json --mode esync --rounds 100
  profiler simulate sync --workers cluster.json --mode esync \\
      --sync-rule paper --rounds 100 --json
  profiler simulate sync --workers cluster.json --mode async --rounds 100

A cluster is JSON, with microseconds of a local step and of an exchange of
weights for each worker, samples of a step, and bytes of the weights:
  {\"workers\":[{\"compute_us\":60000,\"communication_us\":4800000},
              {\"compute_us\":3400000,\"communication_us\":4800000}],
   \"batch\":64,\"model_bytes\":42600000}
A worker that joins later has the number of its first round as from_round;
it makes one step in that round, which measures it.

The plan is the one that tuner fine-tune makes. Costs are known from the
first round on. With --overlap a round lasts until every worker has made its
steps and exchanged the weights of the round before; in the first round
that is the exchange of the initial weights.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct SyncArgs {
    /// The cluster: what a step and an exchange take each worker
    #[arg(long, env = "HEADWATER_SIMULATE_WORKERS", value_name = "FILE")]
    pub(crate) workers: PathBuf,

    /// How they train together: esync, sync or async
    #[arg(long, env = "HEADWATER_SIMULATE_MODE", value_name = "MODE")]
    pub(crate) mode: Mode,

    /// How many rounds; in async one is as many arrivals as there are workers
    #[arg(long, env = "HEADWATER_SIMULATE_ROUNDS", value_name = "ROUNDS", value_parser = count)]
    pub(crate) rounds: NonZeroU32,

    /// Whose rule gives the local steps in esync: headwater or paper
    #[arg(long, env = "HEADWATER_SIMULATE_SYNC_RULE", value_name = "RULE", default_value_t = RuleName::Headwater)]
    pub(crate) sync_rule: RuleName,

    /// The paper's epsilon: how much earlier than the slowest worker's step another's next step has to end
    #[arg(
        long,
        env = "HEADWATER_SIMULATE_PAPER_EPSILON",
        value_name = "SECONDS",
        default_value = "0.5",
        value_parser = seconds
    )]
    pub(crate) paper_epsilon: Duration,

    /// The most local steps of a worker in a round, of the rule headwater and of async [default: 1024, or as often as
    /// the slowest worker's step is longer than the fastest's]
    #[arg(long, env = "HEADWATER_SIMULATE_MAX_STEPS", value_name = "STEPS", value_parser = count)]
    pub(crate) max_steps: Option<NonZeroU32>,

    /// Exchange the weights of a round while the steps of the next are made
    #[arg(long, env = "HEADWATER_SIMULATE_OVERLAP")]
    pub(crate) overlap: bool,
}

// === impl SyncArgs ===

impl SyncArgs {
    pub(crate) fn check(&self) -> Result<(), UsageError> {
        let Self { mode, sync_rule, overlap, .. } = *self;
        if matches!(mode, Mode::Local | Mode::Central) {
            return Err(UsageError(format!("--mode {mode} has nothing to simulate: give esync, sync or async")));
        }
        if overlap && mode == Mode::Async {
            return Err(UsageError("--overlap is for --mode esync and sync: in async nobody waits".to_owned()));
        }
        if overlap && mode == Mode::Esync && sync_rule == RuleName::Paper {
            return Err(UsageError("--overlap is not for --sync-rule paper, which knows of no exchanges".to_owned()));
        }
        Ok(())
    }
}

/// A number, 1 or more.
fn count(text: &str) -> Result<NonZeroU32, String> {
    let most = u32::MAX;
    text.trim().parse().map_err(|_| format!("{text:?} is not a whole number from 1 to {most}"))
}
