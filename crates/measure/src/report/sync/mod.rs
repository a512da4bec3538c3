//! `profiler report sync`: runs of training over several servers, as one page for people.

mod args;
mod names;

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use headwater_cli::input::read_at_most;
use headwater_cli::{OutputFile, Outputs};
use headwater_plan::sync::log::{LogFault, MOST_BYTES, read};
use headwater_report::{Common, TrainingPage, TrainingRun};
use serde::Serialize;

pub(crate) use args::SyncReportArgs;
use names::names;

/// What was written.
#[derive(Debug, Serialize)]
pub(crate) struct WrittenRuns {
    /// The page.
    out: String,
    /// The page's bytes.
    bytes: usize,
    /// The runs, in the order in which they were given.
    runs: Vec<WrittenRun>,
}

/// A run on the page.
#[derive(Debug, Serialize)]
struct WrittenRun {
    /// The log.
    file: String,
    /// Rounds that it has made; in `async` exchanges.
    rounds: u64,
    /// How long it took.
    seconds: f64,
    /// Samples of all workers in a second; null where no round was made.
    samples_per_second: Option<f64>,
    /// Bytes to the workers and from them in a second; null where no round was made.
    bytes_per_second: Option<f64>,
    /// The part of the workers' time in local steps; null where no round was made.
    utilisation: Option<f64>,
    /// The best accuracy that all runs have reached whose samples were dealt by class, as this one's, or not; null
    /// where none was evaluated.
    common_top1: Option<f64>,
    /// Seconds until `common_top1`; null where the run was not evaluated.
    seconds_to_common: Option<f64>,
    /// The last accuracy; null where none was measured.
    top1: Option<f64>,
    /// How often a worker was lost.
    lost: u64,
    /// How often one was back.
    back: u64,
    /// How often what one sent was refused.
    refused: u64,
    /// Lines of the log that were cut.
    cut_lines: u64,
}

/// Opens the file that the page goes to.
pub(crate) fn output(args: &SyncReportArgs) -> anyhow::Result<OutputFile> {
    let reading = |outputs: Outputs, log: &PathBuf| outputs.reading("FILE", Some(log));
    Ok(args.logs.iter().fold(Outputs::new(), reading).file("--out", &args.out)?)
}

/// Reads the logs, one after the other; gives the page, and what is said of it once it is written.
pub(crate) fn report(args: &SyncReportArgs) -> anyhow::Result<(String, WrittenRuns)> {
    let named = names(&args.logs).into_iter().zip(&args.logs);
    let runs = named.map(|(name, path)| run(name, path)).collect::<anyhow::Result<Vec<_>>>()?;
    for note in runs.iter().filter_map(TrainingRun::note) {
        tracing::warn!("{note}");
    }
    let html = TrainingPage { runs: &runs }.to_string();
    let of = |(path, run): (&PathBuf, _)| WrittenRun::of(path, run, Common::beside(run, &runs));
    let written = WrittenRuns {
        out: args.out.display().to_string(),
        bytes: html.len(),
        runs: args.logs.iter().zip(&runs).map(of).collect(),
    };
    Ok((html, written))
}

/// `PATH:LINE: what is wrong`, as compilers say it and editors follow it.
fn run(name: String, path: &Path) -> anyhow::Result<TrainingRun> {
    let shown = path.display();
    let bytes = read_at_most(path, MOST_BYTES).with_context(|| format!("cannot read {shown}"))?;
    if bytes.len() as u64 > MOST_BYTES {
        bail!("{shown} has more than {MOST_BYTES} bytes: report a part of it");
    }
    match read(&bytes) {
        Ok(log) => Ok(TrainingRun::of(name, &log)),
        Err(error) if error.fault == LogFault::Empty => {
            Ok(TrainingRun::empty(name, u64::from(!bytes.trim_ascii().is_empty())))
        }
        Err(error) => Err(anyhow!("{shown}:{}: {}", error.line, error.fault)),
    }
}

// === impl WrittenRun ===

impl WrittenRun {
    fn of(path: &Path, run: &TrainingRun, common: Option<Common>) -> Self {
        let [lost, back, refused] = run.incidents;
        Self {
            file: path.display().to_string(),
            rounds: run.rounds,
            seconds: run.seconds,
            samples_per_second: run.samples_per_second(),
            bytes_per_second: run.bytes_per_second(),
            utilisation: run.utilisation(),
            common_top1: common.map(|common| common.top1),
            seconds_to_common: common.and_then(|common| run.seconds_to(common)),
            top1: run.top1(),
            lost,
            back,
            refused,
            cut_lines: run.cut,
        }
    }
}

// === impl WrittenRuns ===

impl fmt::Display for WrittenRuns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} runs", self.out, self.runs.len())?;
        for run in &self.runs {
            let WrittenRun { file, rounds, seconds, .. } = run;
            write!(f, "\n{file}: {rounds} rounds in {seconds:.1} s")?;
            run.samples_per_second.iter().try_for_each(|rate| write!(f, ", {rate:.1} samples/s"))?;
            run.top1.iter().try_for_each(|top1| write!(f, ", top-1 {top1:.4}"))?;
        }
        Ok(())
    }
}
