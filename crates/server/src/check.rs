//! `--check-config`: whether a server or an indexing would start.

use headwater_cli::exit::UsageError;
use headwater_cli::settings::{Check, Findings};
use headwater_features::{Runtime, check_model};
use headwater_store::{DatasetSource, Kind};
use headwater_types::caps;

use crate::args::{CacheDirArgs, Command, IndexArgs, ServeArgs, SourceArgs, StateArgs, StorageServerArgs};
use crate::gate::Gate;
use crate::models;

impl Check for StorageServerArgs {
    fn conflicts(&self) -> Vec<UsageError> {
        match &self.command {
            Command::Serve(args) => args.conflicts(),
            Command::Index(args) => args.dataset.conflicts().into_iter().chain(args.cache.conflicts()).collect(),
            Command::Reload(_) | Command::Token(_) => Vec::new(),
        }
    }

    fn check(&self, findings: &mut Findings) {
        match &self.command {
            Command::Serve(args) => check_serve(args, findings),
            Command::Index(args) => check_indexing(args, findings),
            Command::Reload(args) => drop(findings.note(args.access.open())),
            Command::Token(_) => {}
        }
    }
}

fn check_serve(args: &ServeArgs, findings: &mut Findings) {
    findings.note(args.limits.memory());
    for spec in args.datasets.specs() {
        check_dataset(&args.datasets.setting(&spec.name), &spec.source, findings);
        if !args.cache.is_off() {
            check_cache((&args.state, &args.cache.folder), &spec.source, findings);
        }
    }
    check_links(&args.datasets.source, findings);
    check_models(args, findings);
    findings.note(Gate::new(&args.access));
    findings.note(args.access.towards_others());
    findings.port("--listen", &args.listen);
    if let Some(address) = &args.metrics_listen {
        findings.port("--metrics-listen", address);
    }
    let files = [("--port-file", &args.port_file), ("--metrics-port-file", &args.metrics_port_file)];
    for (setting, file) in files {
        file.iter().for_each(|file| findings.writable_file(setting, file));
    }
}

fn check_indexing(args: &IndexArgs, findings: &mut Findings) {
    findings.note(args.limits.memory());
    check_dataset("--data", &args.dataset.data, findings);
    check_links(&args.dataset.source, findings);
    check_cache((&args.state, &args.cache), &args.dataset.data, findings);
}

/// Checks that the dataset's folder can be read. A bucket is not checked: no other machine is asked.
fn check_dataset(setting: &str, dataset: &DatasetSource, findings: &mut Findings) {
    if dataset.location.kind() == Kind::Folder {
        dataset.location.local().for_each(|folder| findings.readable_folder(setting, folder));
    }
}

fn check_links(source: &SourceArgs, findings: &mut Findings) {
    source.follow_links().iter().for_each(|folder| findings.readable_folder("--follow-links", folder));
}

fn check_cache((state, cache): (&StateArgs, &CacheDirArgs), dataset: &DatasetSource, findings: &mut Findings) {
    if cache.has_no_ssd() {
        return;
    }
    if let Some(folder) = findings.note(cache.folder(state, &dataset.location)) {
        findings.writable_folder(cache.setting(state), folder.path());
    }
}

/// Checks each model's file and recipe, and that heads can be read, as they are read at start. Sessions are not made,
/// since measuring them takes seconds.
fn check_models(args: &ServeArgs, findings: &mut Findings) {
    if args.model.is_empty() {
        args.onnxruntime.iter().for_each(|library| findings.readable_file("--onnxruntime", library));
        return;
    }
    findings.note(Runtime::load(args.onnxruntime.as_deref()));
    args.head.iter().for_each(|head| findings.readable_file("--head", &head.path));
    for spec in &args.model {
        spec.classes.iter().for_each(|file| findings.readable_file("--model classes", file));
        if let Some(recipe) = findings.note(models::recipe(spec)) {
            findings.note(check_model(spec, &recipe, caps::MAX_MODEL_BYTES));
        }
    }
}
