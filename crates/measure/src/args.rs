//! The profiler's command line.

use clap::{Args, Parser, Subcommand};
use headwater_cli::Common;

use crate::cache::CacheArgs;
use crate::compare::CompareArgs;
use crate::datasets::DatasetsArgs;
use crate::epoch::EpochArgs;
use crate::fetch::FetchArgs;
use crate::gauge::{DatasetArgs, MachineArgs, NetworkArgs};
use crate::import::ImportArgs;
use crate::model::ModelArgs;
use crate::plan::{ExplainArgs, PlanCommand};
use crate::report::ReportCommand;
use crate::simulate::SimulateArgs;

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
    Report(Box<ReportCommand>),
    /// Measure what every sample costs at every cut, and write it as a profile
    Dataset(Box<DatasetArgs>),
    /// Say which datasets servers have, and how each of them is
    Datasets(DatasetsArgs),
    /// Say what servers keep of samples, and what comes of it
    Cache(CacheArgs),
    /// Measure bandwidth and round trip to each server
    Network(Box<NetworkArgs>),
    /// Measure this machine's cores, and an accelerator
    Machine(MachineArgs),
    /// Find where a network can be cut, and measure one image at each cut
    Model(Box<ModelArgs>),
    /// Stream one epoch as a trainer would, and measure it
    Epoch(Box<EpochArgs>),
    /// Show how epochs went against what was predicted
    Compare(CompareArgs),
    /// Replay what would be kept, without a server
    Simulate(SimulateArgs),
}

#[derive(Debug, Args)]
#[command(after_help = RECIPE_EXAMPLES)]
pub(crate) struct RecipeArgs {
    /// A recipe in the box, or a TOML file
    #[arg(value_name = "NAME|FILE")]
    pub(crate) recipe: Option<String>,
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
