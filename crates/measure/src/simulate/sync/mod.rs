//! `profiler simulate sync`: how long rounds of training take on unequal machines.

mod args;

use anyhow::{Context as _, anyhow, bail};
use headwater_cli::input::read_at_most;
use headwater_plan::sync::Micros;
use headwater_simulate::{Cluster, MOST_CLUSTER_BYTES, SyncReport, SyncRun};

pub(crate) use args::SyncArgs;

/// Simulates what the arguments say.
pub(crate) fn sync(args: &SyncArgs) -> anyhow::Result<SyncReport> {
    let cluster = read(args)?;
    let SyncArgs { mode, rounds, sync_rule: rule, max_steps, overlap, paper_epsilon, .. } = *args;
    let epsilon = Micros::from(paper_epsilon);
    let run = SyncRun { cluster: &cluster, mode, rule, epsilon, max_steps, overlap, rounds };
    Ok(run.run()?)
}

fn read(args: &SyncArgs) -> anyhow::Result<Cluster> {
    let path = args.workers.display();
    let bytes = read_at_most(&args.workers, MOST_CLUSTER_BYTES).with_context(|| format!("cannot read {path}"))?;
    if bytes.len() as u64 > MOST_CLUSTER_BYTES {
        bail!("{path} has more than {MOST_CLUSTER_BYTES} bytes: it is no cluster");
    }
    Cluster::parse(&bytes).map_err(|error| anyhow!("{path}: {error}"))
}
