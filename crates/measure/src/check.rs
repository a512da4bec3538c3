//! `--check-config`: whether a command would start, as far as that is known without a server.

use std::path::Path;

use anyhow::Context as _;
use headwater_cli::exit::UsageError;
use headwater_cli::settings::{Check, Findings};
use headwater_tables::plan::PlanSource;

use crate::args::{Action, ProfilerArgs};
use crate::epoch::EpochArgs;
use crate::fetch::FetchArgs;
use crate::import::ImportSource;
use crate::plan::{self, PlanAction};
use crate::recipe::check_recipe;
use crate::report::{ReportAction, ReportCommand};
use crate::simulate::{SimulateArgs, Simulated};

impl Check for ProfilerArgs {
    fn conflicts(&self) -> Vec<UsageError> {
        let checked = match &self.action {
            Action::Fetch(args) => args.check(),
            Action::Dataset(args) => args.samples().map(drop),
            Action::Machine(args) => args.check_usage(),
            Action::Model(args) => args.check_usage(),
            Action::Explain(args) => args.which.check(),
            Action::Epoch(args) => args.check(),
            Action::Report(command) => command.check(),
            Action::Simulate(SimulateArgs { what: Simulated::Cache(args) }) => args.check(),
            Action::Simulate(SimulateArgs { what: Simulated::Sync(args) }) => args.check(),
            _ => Ok(()),
        };
        checked.err().into_iter().collect()
    }

    fn check(&self, findings: &mut Findings) {
        match &self.action {
            Action::Recipe(args) => check_recipe(args.recipe.as_deref(), findings),
            Action::Fetch(args) => check_fetch(args, findings),
            Action::Import(args) => {
                let ImportSource::Sophon(files) = &args.source;
                findings.readable_file("--sizes", &files.sizes);
                findings.readable_file("--times", &files.times);
                findings.writable_file("--out", &files.out);
            }
            Action::Plan(command) => match &command.action {
                Some(PlanAction::Export(args)) => drop(findings.note(headwater_tables::plan::read(&args.plan))),
                None => {
                    findings.note(plan::check(&command.args));
                    command.args.out.iter().for_each(|out| findings.writable_file("--out", out));
                }
            },
            Action::Explain(args) => {
                check_profile(&args.profile, findings);
                findings.note(headwater_tables::plan::read(&args.plan).context("--plan"));
            }
            Action::Report(command) => check_report(command, findings),
            Action::Dataset(args) => args.check(findings),
            Action::Network(_) | Action::Datasets(_) | Action::Cache(_) => {}
            Action::Machine(args) => args.check(findings),
            Action::Model(args) => args.check(findings),
            Action::Epoch(args) => check_epoch(args, findings),
            Action::Compare(args) => args.check(findings),
            Action::Simulate(SimulateArgs { what: Simulated::Cache(args) }) => {
                findings.readable_file("--trace", &args.trace);
                args.curve.iter().for_each(|curve| findings.writable_file("--curve", curve));
            }
            Action::Simulate(SimulateArgs { what: Simulated::Sync(args) }) => {
                findings.readable_file("--workers", &args.workers);
            }
        }
    }
}

fn check_profile(path: &Path, findings: &mut Findings) {
    findings.note(headwater_tables::profile::read(path).with_context(|| format!("--profile {}", path.display())));
}

fn check_report(command: &ReportCommand, findings: &mut Findings) {
    match &command.action {
        Some(ReportAction::Sync(args)) => {
            args.logs.iter().for_each(|log| findings.readable_file("FILE", log));
            findings.writable_file("--out", &args.out);
        }
        None => {
            command.args.profile.iter().for_each(|profile| check_profile(profile, findings));
            command.args.out.iter().for_each(|out| findings.writable_file("--out", out));
        }
    }
}

fn check_fetch(args: &FetchArgs, findings: &mut Findings) {
    check_recipe(args.recipe.as_deref(), findings);
    if let Some(PlanSource::File(plan)) = args.plan.clone().map(PlanSource::from) {
        findings.note(headwater_tables::plan::read(&plan).context("--plan"));
    }
    findings.writable_folder("--out", &args.out);
}

fn check_epoch(args: &EpochArgs, findings: &mut Findings) {
    findings.note(args.run.recipe());
    if let Ok(Some(plan)) = args.plan() {
        findings.note(headwater_tables::plan::read(plan));
    }
    args.profile.iter().for_each(|profile| check_profile(profile, findings));
}
