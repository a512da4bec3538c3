//! `profiler epoch`: one epoch as a trainer would stream it, measured and held against what was predicted.

mod args;

pub(crate) use args::EpochArgs;

use std::sync::Arc;

use headwater_cli::{Outcome, Progress};
use headwater_epoch::{EpochPlan, EpochReport, EpochStage};
use headwater_tables::plan;

use crate::bars::Bars;
use crate::plan::read_profile;

/// Plans if need be, streams the epoch, and says how it went.
pub(crate) async fn epoch(args: &EpochArgs, progress: &Progress) -> anyhow::Result<Outcome<EpochReport>> {
    let recipe = args.run.recipe()?;
    let plan = match args.plan()? {
        Some(path) => Some(EpochPlan { path: path.to_owned(), plan: plan::read(path)? }),
        None => None,
    };
    // A plan that is there already needs no profile.
    let profile = match &args.profile {
        Some(path) if plan.is_none() => Some(Arc::new(read_profile(path)?)),
        _ => None,
    };
    let options = args.options(recipe, plan, profile)?;
    let bars = Bars::new(progress);
    let (report, failures) = headwater_epoch::run(&options, &|stage| match stage {
        EpochStage::Profiling(headway) => bars.set("profile", headway),
        EpochStage::Network(milliseconds) => bars.add("network, ms", milliseconds),
        EpochStage::Streaming(headway) => bars.set("samples", headway),
    })
    .await?;
    let few_enough = failures.check(report.samples(), args.failures.max_failures);
    Ok(Outcome::of(report, few_enough))
}
