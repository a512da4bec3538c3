//! `profiler plan`, `profiler plan export` and `profiler explain`: plans that are made from a profile and given
//! resources.

mod args;
mod devices;
mod explanation;
mod limits;
mod per_server;
mod report;
mod reserve;

pub(crate) use args::{ExplainArgs, ExportArgs, ExportFormat, PlanAction, PlanArgs, PlanCommand};
pub(crate) use explanation::Explained;
pub(crate) use limits::{LimitArgs, resources};
pub(crate) use report::{Report, bytes};

use std::io::{BufWriter, Write as _};

use anyhow::{Context as _, anyhow};
use headwater_cli::exit::UsageError;
use headwater_cli::output::stdout;
use headwater_cli::{OutputFile, Outputs};
use headwater_plan::{Allowed, Mode, Plan, Profile, Resources, compare};
use headwater_types::Way;

/// Whether what a plan is made of is there and fits together.
pub(crate) fn check(args: &PlanArgs) -> anyhow::Result<()> {
    inputs(args).map(drop)
}

/// A plan, and what it is held against.
pub(crate) struct Planned {
    profile: Profile,
    plan: Plan,
    modes: Vec<Mode>,
}

/// Opens the file that the plan goes to, where it is to be written.
pub(crate) fn output(args: &PlanArgs) -> anyhow::Result<Option<OutputFile>> {
    let mut outputs = Outputs::new().reading("--profile", args.profile.as_deref());
    Ok(args.out.as_deref().map(|out| outputs.file("--out", out)).transpose()?)
}

/// The profile, what may be chosen, and what there is to use.
fn inputs(args: &PlanArgs) -> anyhow::Result<(Profile, Vec<Way>, Resources)> {
    let missing = || {
        UsageError("give --profile FILE: what samples cost, as `profiler dataset` or `profiler import` wrote it".into())
    };
    let path = args.profile.as_deref().ok_or_else(missing)?;
    let profile = read_profile(path)?;
    let allowed = Allowed::of(&args.allow_cuts, &profile)?;
    let resources = limits::resources(&args.limits, &profile)?;
    Ok((profile, allowed, resources))
}

/// Plans.
pub(crate) fn plan(args: &PlanArgs) -> anyhow::Result<Planned> {
    let (profile, allowed, resources) = inputs(args)?;
    let plan = headwater_plan::plan(&profile, &resources, &allowed, args.algorithm)?;
    let modes = compare(&profile, &resources, &allowed)?;
    Ok(Planned { profile, plan, modes })
}

// === impl Planned ===

impl Planned {
    /// Writes the plan, where it is to be written.
    pub(crate) fn write(self, output: Option<OutputFile>) -> anyhow::Result<Report> {
        let Self { profile, plan, modes } = self;
        let out = output.as_ref().map(|output| output.path().to_owned());
        output.map(|output| output.write(|sink| plan.write_to(sink))).transpose()?;
        Ok(Report::new(out.as_deref(), &profile, plan, modes))
    }
}

/// Writes a plan to standard output in another form.
pub(crate) fn export(args: &ExportArgs) -> anyhow::Result<()> {
    let plan = headwater_tables::plan::read(&args.plan)?;
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
    let (profile, plan) = (read_profile(&args.profile)?, headwater_tables::plan::read(&args.plan)?);
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
    headwater_tables::profile::read(path).with_context(|| format!("cannot read the profile {}", path.display()))
}
