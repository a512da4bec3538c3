//! `profiler report`: a profile, and what a plan makes of it, as one page for people.

mod args;
mod chart;
mod page;
mod sweep;

use std::fmt;

use anyhow::Context as _;
use headwater_cli::Progress;
use headwater_plan::{Algorithm, compare, plan};
use serde::Serialize;

pub(crate) use args::ReportArgs;
use page::Page;
use sweep::Sweeper;

use crate::plan::{Allowed, read_profile, resources};
use crate::whole;

/// What was written.
#[derive(Debug, Serialize)]
pub(crate) struct Written {
    out: String,
    bytes: usize,
    samples: usize,
    /// Predicted seconds of the plan that the page is about.
    epoch: f64,
}

/// Plans over the ranges that the page shows, and writes it.
pub(crate) fn report(args: &ReportArgs, progress: &Progress) -> anyhow::Result<Written> {
    let profile = read_profile(&args.profile)?;
    let allowed = Allowed::of(&args.allow_cuts, &profile)?;
    let resources = resources(&args.limits, profile.servers())?;
    let plan = plan(&profile, &resources, &allowed, Algorithm::Optimal)?;
    let modes = compare(&profile, &resources, &allowed)?;
    let sweeper = Sweeper { profile: &profile, resources: &resources, allowed: &allowed, progress };
    let page = Page {
        profile: &profile,
        plan: &plan,
        modes: &modes,
        bandwidths: sweeper.bandwidths()?,
        cores: sweeper.cores()?,
        regions: sweeper.regions()?,
    };
    let html = page.to_string();
    let context = || format!("cannot write the report {}", args.out.display());
    whole::write(&args.out, html.as_bytes()).with_context(context)?;
    Ok(Written {
        out: args.out.display().to_string(),
        bytes: html.len(),
        samples: profile.len(),
        epoch: plan.prediction.epoch,
    })
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} samples, an epoch of {:.3} s", self.out, self.samples, self.epoch)
    }
}
