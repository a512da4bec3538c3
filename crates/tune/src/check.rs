//! `--check-config`: whether an extraction or a training would start, as far as that is known without a server.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use headwater_cli::exit::UsageError;
use headwater_cli::recipe;
use headwater_cli::settings::{Check, Findings};
use headwater_extraction::PlanError;
use headwater_onnx::{Limits, file};
use headwater_tables::plan;
use headwater_types::caps::MAX_MODEL_BYTES;

use crate::args::{Command, ExtractArgs, FineTuneArgs, PlanArgs, PushArgs, TunerArgs};
use crate::partition::read_profile;

impl Check for TunerArgs {
    fn conflicts(&self) -> Vec<UsageError> {
        let checked = match &self.command {
            Command::Extract(args) => args.check(),
            Command::FineTune(args) => args.check(),
            Command::Relabel(args) => args.check(),
            Command::Labels(args) => args.check(),
            Command::Ingest(args) => args.check(),
            Command::Plan(args) => args.check(),
            Command::Push(_) | Command::Rollback(_) | Command::Models(_) | Command::Status(_) => Ok(()),
        };
        checked.err().into_iter().collect()
    }

    fn check(&self, findings: &mut Findings) {
        match &self.command {
            Command::Extract(args) => args.check_files(findings),
            Command::FineTune(args) => args.check_files(findings),
            Command::Push(args) => args.check_files(findings),
            Command::Plan(args) => {
                check_model("--model", &args.model, findings);
                findings.note(read_profile(args));
            }
            Command::Relabel(args) => args.plan.check_files(findings),
            Command::Ingest(_) | Command::Rollback(_) | Command::Models(_) | Command::Status(_) => {}
            Command::Labels(args) => {
                let file = args.export.as_ref().and_then(|site| site.local());
                file.into_iter().for_each(|file| findings.writable_file("--export", file));
            }
        }
    }
}

impl ExtractArgs {
    fn check_files(&self, findings: &mut Findings) {
        self.servers.connection.plan.check_files(findings);
        findings.writable_folder("--out", &self.out);
    }
}

impl FineTuneArgs {
    fn check_files(&self, findings: &mut Findings) {
        self.from.connection.plan.check_files(findings);
        self.from.features.iter().for_each(|folder| findings.readable_folder("--features", folder));
        self.join.iter().for_each(|model| check_model("--join", model, findings));
        let outputs = [("--out", Some(&self.out)), ("--joined-out", self.joined_out.as_ref())];
        for (setting, file) in outputs {
            file.into_iter().for_each(|file| findings.writable_file(setting, file));
        }
    }
}

impl PushArgs {
    fn check_files(&self, findings: &mut Findings) {
        check_model("--model", &self.model.path, findings);
        self.bases.base.iter().for_each(|file| findings.readable_file("--base", file));
        self.model.classes.iter().for_each(|file| findings.readable_file("--model classes=", file));
        self.model.recipe.iter().for_each(|name| drop(findings.note(recipe::find(name))));
    }
}

impl PlanArgs {
    fn check_files(&self, findings: &mut Findings) {
        let is_a_file = |plan: &&PathBuf| plan.as_os_str() != "auto";
        self.plan
            .iter()
            .filter(is_a_file)
            .for_each(|plan| drop(findings.note(plan::read(plan).map_err(PlanError::from))));
        self.extractor.iter().for_each(|model| check_model("--extractor", model, findings));
        self.onnxruntime.iter().for_each(|library| findings.readable_file("--onnxruntime", library));
    }
}

/// The checks that are made of a model's file before a runtime sees it.
fn check_model(setting: &str, path: &Path, findings: &mut Findings) {
    let check = || -> anyhow::Result<()> {
        let bytes = file::read(path, MAX_MODEL_BYTES)?;
        headwater_onnx::check(&bytes, &Limits { max_bytes: MAX_MODEL_BYTES, ..Limits::default() })?;
        Ok(())
    };
    findings.note(check().with_context(|| format!("{setting} {}", path.display())));
}
