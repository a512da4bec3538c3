//! The arguments of `tuner models` and `tuner status`.

use clap::Args;

use super::reach::ReachArgs;

/// Show which models and heads the servers have
#[derive(Clone, Debug, Args)]
#[command(after_help = MODELS_HELP)]
pub(crate) struct ModelsArgs {
    #[command(flatten)]
    pub(crate) reach: ReachArgs,
}

/// Show the fleet at a glance: servers, datasets, what is kept, models, labellings
///
/// The exit code is 0 where every server answered and every dataset is served or starting, and 1 otherwise: what the
/// others say is shown all the same.
#[derive(Clone, Debug, Args)]
#[command(after_help = STATUS_HELP)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) reach: ReachArgs,

    /// Ask every two seconds until interrupted, and show each time what there is then
    #[arg(long)]
    pub(crate) watch: bool,
}

const MODELS_HELP: &str = "\
Examples:
  tuner models --servers node1:7440,node2:7440
  tuner models --servers node1:7440,node2:7440 --json";

const STATUS_HELP: &str = "\
Examples:
  tuner status --servers node1:7440,node2:7440
  tuner status --servers node1:7440,node2:7440 --watch
  tuner status --servers node1:7440,node2:7440 --json";
