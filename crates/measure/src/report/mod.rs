//! `profiler report`: a profile, and what a plan makes of it, as one page for people; another is about runs of training
//! ([`sync`]).

mod args;
pub(crate) mod sync;

use std::fmt;

use headwater_cli::{OutputFile, Outputs, Progress};
use headwater_plan::{Algorithm, Allowed, compare, plan};
use headwater_report::{Available, Page, Sweeper};
use serde::Serialize;

pub(crate) use args::{ReportAction, ReportArgs, ReportCommand};

use crate::plan::{read_profile, resources};

/// What was written.
#[derive(Debug, Serialize)]
pub(crate) struct Written {
    out: String,
    bytes: usize,
    samples: usize,
    /// Predicted seconds of the plan that the page is about.
    epoch: f64,
}

/// Opens the file that the page goes to.
pub(crate) fn output(args: &ReportArgs) -> anyhow::Result<OutputFile> {
    Ok(Outputs::new().reading("--profile", args.profile.as_deref()).file("--out", args.out()?)?)
}

/// Plans over the ranges that the page shows; gives the page, and what is said of it once it is written.
pub(crate) fn report(args: &ReportArgs, progress: &Progress) -> anyhow::Result<(String, Written)> {
    let profile = read_profile(args.profile()?)?;
    let allowed = Allowed::of(&args.allow_cuts, &profile)?;
    let resources = resources(&args.limits, &profile)?;
    let plan = plan(&profile, &resources, &allowed, Algorithm::Optimal)?;
    let modes = compare(&profile, &resources, &allowed)?;
    let bar = progress.items("plans", Some(Sweeper::POINTS));
    let sweeper = Sweeper { profile: &profile, resources: &resources, allowed: &allowed, planned: &|| bar.add(1) };
    let reserved: Vec<_> = args.limits.reserve.iter().map(ToString::to_string).collect();
    let page = Page {
        profile: &profile,
        plan: &plan,
        available: Available { resources: &resources, servers: profile.servers(), reserved: &reserved },
        modes: &modes,
        bandwidths: sweeper.bandwidths()?,
        cores: sweeper.cores()?,
        regions: sweeper.regions()?,
    };
    let html = page.to_string();
    let written = Written {
        out: args.out()?.display().to_string(),
        bytes: html.len(),
        samples: profile.len(),
        epoch: plan.prediction.epoch,
    };
    Ok((html, written))
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} samples, an epoch of {:.3} s", self.out, self.samples, self.epoch)
    }
}
