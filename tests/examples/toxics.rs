//! The whole of what `tests/tests/s3_toxics.rs` tries in small: every kind of trouble with twenty seeds, and outages of
//! a minute.
//!
//! `toxics [--seeds N] [--at-once N] [--outage SECONDS] [KIND...]`; the exit code is 1 if an epoch went wrong.

use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use headwater_testdata::PhotoSet;
use headwater_tests::{Moto, Strain, Toxic, Trial, Upstream, Verdict};
use tempfile::TempDir;

/// What is tried.
struct Settings {
    seeds: u64,
    at_once: usize,
    outage: Duration,
    kinds: Vec<Toxic>,
}

fn main() -> Result<ExitCode> {
    let settings = settings()?;
    let photos = TempDir::new()?;
    PhotoSet { classes: 3, per_class: 20, max_side: 96, ..PhotoSet::default() }.write(photos.path())?;
    let moto = Moto::start(photos.path())?.context("no Python with moto: see scripts/requirements-test.txt")?;
    let (upstream, keys) = (Arc::new(Upstream::new(moto.address())), Arc::new(keys_of(photos.path())?));
    let mut trials = Vec::new();
    for seed in 0..settings.seeds {
        for &toxic in &settings.kinds {
            let strain = Strain { toxic, seed, outage: settings.outage };
            trials.push(Trial { upstream: Arc::clone(&upstream), strain, keys: Arc::clone(&keys) });
        }
    }
    let verdicts = run(trials, settings.at_once)?;
    println!();
    for toxic in settings.kinds {
        let of: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.strain.toxic == toxic).collect();
        let wrong = of.iter().filter(|verdict| verdict.fault.is_some()).count();
        let good: Vec<_> = of.iter().filter(|verdict| verdict.fault.is_none()).collect();
        let refused = good.iter().filter(|verdict| verdict.refused).count();
        let complete = good.iter().filter(|verdict| !verdict.refused && verdict.failed.is_empty()).count();
        let reads = of.iter().map(|verdict| f64::from(verdict.requests.0) / keys.len() as f64).fold(0.0, f64::max);
        let longest = of.iter().map(|verdict| verdict.took.as_secs_f64()).fold(0.0, f64::max);
        let failed = good.len() - refused - complete;
        println!(
            "{:<14} {} runs: {complete} complete, {failed} with failures by name, {refused} refused with the reason, \
             {wrong} WRONG; \
             at most {reads:.2} reads an object, {longest:.1} s",
            format!("{toxic:?}"),
            of.len(),
        );
    }
    let is_good = verdicts.iter().all(|verdict| verdict.fault.is_none());
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn settings() -> Result<Settings> {
    let mut settings = Settings { seeds: 20, at_once: 10, outage: Duration::from_secs(60), kinds: Vec::new() };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || -> Result<u64> { Ok(arguments.next().context("a number is missing")?.parse()?) };
        match argument.as_str() {
            "--seeds" => settings.seeds = number()?,
            "--at-once" => settings.at_once = usize::try_from(number()?)?,
            "--outage" => settings.outage = Duration::from_secs(number()?),
            name => {
                let kind = Toxic::ALL.into_iter().find(|kind| format!("{kind:?}").eq_ignore_ascii_case(name));
                let Some(kind) = kind else { bail!("no kind of trouble {name:?}: there are {:?}", Toxic::ALL) };
                settings.kinds.push(kind);
            }
        }
    }
    if settings.kinds.is_empty() {
        settings.kinds = Toxic::ALL.to_vec();
    }
    Ok(settings)
}

/// Runs them, so many at once: most of the time they wait.
fn run(trials: Vec<Trial>, at_once: usize) -> Result<Vec<Verdict>> {
    let (sender, verdicts) = mpsc::channel();
    let trials = Arc::new(Mutex::new(trials.into_iter()));
    for _ in 0..at_once {
        let (sender, trials) = (sender.clone(), Arc::clone(&trials));
        std::thread::spawn(move || {
            loop {
                let next = trials.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some(trial) = next else { return };
                if sender.send(trial.run()).is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let printed = |verdict: Result<Verdict>| verdict.inspect(|verdict| println!("{verdict}"));
    verdicts.into_iter().map(printed).collect()
}

fn keys_of(folder: &Path) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    for class in std::fs::read_dir(folder)? {
        let class = class?;
        for file in std::fs::read_dir(class.path())? {
            keys.push(format!("{}/{}", class.file_name().display(), file?.file_name().display()));
        }
    }
    keys.sort();
    Ok(keys)
}
