//! `profiler plan`, `profiler plan export` and `profiler explain`: planners held against a profile and told resources.

mod allowed;
mod args;
mod explanation;
mod file;
mod limits;
mod report;
mod reserve;

pub(crate) use allowed::Allowed;
pub(crate) use args::{ExplainArgs, ExportArgs, ExportFormat, LimitArgs, PlanAction, PlanArgs, PlanCommand};
pub(crate) use explanation::Explained;
pub(crate) use file::read as read_plan;
pub(crate) use limits::resources;
pub(crate) use report::Report;

use std::io::{BufWriter, Write as _};

use anyhow::{Context as _, anyhow};
use headwater_cli::exit::UsageError;
use headwater_cli::output::stdout;
use headwater_plan::{Profile, Resources, Way, compare};

use crate::{profile_file, whole};

/// Whether what a plan is made of is there and fits together.
pub(crate) fn check(args: &PlanArgs) -> anyhow::Result<()> {
    inputs(args).map(drop)
}

/// The profile, what may be chosen, and what there is to use.
fn inputs(args: &PlanArgs) -> anyhow::Result<(Profile, Vec<Way>, Resources)> {
    let missing = || {
        UsageError("give --profile FILE: what samples cost, as `profiler dataset` or `profiler import` wrote it".into())
    };
    let path = args.profile.as_deref().ok_or_else(missing)?;
    let profile = read_profile(path)?;
    let allowed = Allowed::of(&args.allow_cuts, &profile)?;
    let resources = limits::resources(&args.limits, profile.servers())?;
    Ok((profile, allowed, resources))
}

/// Plans, and writes the plan where it is to be written.
pub(crate) fn plan(args: &PlanArgs) -> anyhow::Result<Report> {
    let (profile, allowed, resources) = inputs(args)?;
    let plan = headwater_plan::plan(&profile, &resources, &allowed, args.algorithm)?;
    if let Some(out) = &args.out {
        let context = || format!("cannot write the plan {}", out.display());
        whole::replace(out, |file| plan.write_to(file)).with_context(context)?;
    }
    let modes = compare(&profile, &resources, &allowed)?;
    Ok(Report::new(args.out.as_deref(), &profile, plan, modes))
}

/// Writes a plan to standard output in another form.
pub(crate) fn export(args: &ExportArgs) -> anyhow::Result<()> {
    let plan = file::read(&args.plan)?;
    let mut out = BufWriter::new(stdout());
    match args.format {
        ExportFormat::Csv => {
            // Before the first line is written: half a table is worse than none.
            plan.sophon_numbers().map(drop)?;
            plan.write_sophon_csv(&mut out)?;
        }
    }
    Ok(out.flush()?)
}

/// Says why one sample travels as it does.
pub(crate) fn explain(args: &ExplainArgs) -> anyhow::Result<Explained> {
    let (profile, plan) = (read_profile(&args.profile)?, file::read(&args.plan)?);
    let index = match (args.which.sample, &args.which.key) {
        (Some(index), _) => index,
        (None, Some(key)) => profile.find(key).ok_or_else(|| {
            anyhow!("no sample of {} has the key {key:?}; --sample INDEX works without keys", args.profile.display())
        })?,
        (None, None) => return Err(UsageError("give --sample INDEX or --key KEY".into()).into()),
    };
    let explanation = headwater_plan::explain(&profile, &plan, index)?;
    Ok(Explained { explanation, prices: plan.prediction.resources, servers: plan.inputs.servers })
}

pub(crate) fn read_profile(path: &std::path::Path) -> anyhow::Result<Profile> {
    profile_file::read(path).with_context(|| format!("cannot read the profile {}", path.display()))
}
