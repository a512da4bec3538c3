//! `profiler simulate`: what a cache would keep of a trace, and how long rounds of training take ([`sync`]).

mod args;
mod sync;

use std::fmt;

use anyhow::{Context as _, anyhow, bail};
use headwater_cli::input::read_at_most;
use headwater_cli::{OutputFile, Outputs, Progress};
use headwater_simulate::{Curve, MOST_BYTES, Outlook, Replay, Report, Trace};
use serde::Serialize;

pub(crate) use args::{CacheArgs, SimulateArgs, Simulated};
pub(crate) use sync::sync;

/// What was replayed.
#[derive(Debug, Serialize)]
pub(crate) struct CacheReport {
    #[serde(flatten)]
    report: Report,
    /// The page that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    curve: Option<String>,
}

/// Opens the file that the page goes to, where one was asked for.
pub(crate) fn output(args: &CacheArgs) -> anyhow::Result<Option<OutputFile>> {
    let mut outputs = Outputs::new().reading("--trace", Some(&args.trace));
    Ok(args.curve.as_ref().map(|curve| outputs.file("--curve", curve)).transpose()?)
}

/// Replays the trace; gives what came of it, and the page.
pub(crate) fn cache(args: &CacheArgs, progress: &Progress) -> anyhow::Result<(CacheReport, Option<String>)> {
    let trace = read(args)?;
    if args.substitute.is_some() && !trace.has_losses() {
        let path = args.trace.display();
        bail!("--substitute goes by losses, and {path} has no column loss: add one, or leave --substitute out");
    }
    let outlook = Outlook::new(&trace, args.lookahead);
    let (policy, sizes, substitute) = (args.policy, args.sizes(), args.substitute);
    let replays = 1 + args.curve.as_ref().map_or(0, |_| Curve::REPLAYS);
    let bar = progress.items("accesses", Some(trace.accesses() * replays));
    let passed = |accesses| bar.add(accesses);
    let report = Replay { trace: &trace, outlook: &outlook, policy, sizes, substitute }.run(args.dump, &passed);
    let title = || args.trace.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let curve = Curve { trace: &trace, outlook: &outlook, sizes, substitute, chosen: policy };
    let page = args.curve.as_ref().map(|_| curve.page(&title(), &passed));
    let curve = args.curve.as_ref().map(|path| path.display().to_string());
    Ok((CacheReport { report, curve }, page))
}

/// `PATH:LINE:COLUMN: what is wrong`, as compilers say it and editors follow it.
fn read(args: &CacheArgs) -> anyhow::Result<Trace> {
    let path = args.trace.display();
    let bytes = read_at_most(&args.trace, MOST_BYTES).with_context(|| format!("cannot read {path}"))?;
    if bytes.len() as u64 > MOST_BYTES {
        bail!("{path} has more than {MOST_BYTES} bytes: replay a part of it");
    }
    Trace::parse(&bytes).map_err(|error| anyhow!("{path}:{}:{}: {}", error.line, error.column, error.fault))
}

// === impl CacheReport ===

impl fmt::Display for CacheReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.report)?;
        self.curve.iter().try_for_each(|curve| write!(f, "\n{curve}: hit rates over sizes, for every policy"))
    }
}
