//! `--check-config`: whether a program could start with these settings. Nothing is started, listed or written, and no
//! other machine is asked; what would be opened at start is opened and closed.

use std::fs::{self, File};
use std::io;
use std::net::{TcpListener, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use rustix::fs::{Access, access};
use serde_json::json;

use super::known::unknown_variables;
use super::report::SettingsReport;
use crate::exit::{self, UsageError};
use crate::output::{print_json, print_text};
use crate::traces;

/// What a program's arguments are held against before it starts.
pub trait Check {
    /// Settings that do not go together, each with the fix: what clap does not see, since values may come from a file
    /// or a variable. They are refused before the program starts.
    fn conflicts(&self) -> Vec<UsageError>;

    /// Notes everything else that would keep the program from starting.
    fn check(&self, findings: &mut Findings);
}

/// What is wrong with settings.
#[derive(Debug, Default)]
pub struct Findings {
    problems: Vec<String>,
}

// === impl Findings ===

impl Findings {
    /// Notes what went wrong, with its causes; gives what went well.
    pub fn note<T, E: Into<anyhow::Error>>(&mut self, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.problems.push(exit::in_one_line(&error.into()))).ok()
    }

    /// Notes settings that do not go together.
    pub fn conflicts(&mut self, conflicts: &[UsageError]) {
        self.problems.extend(conflicts.iter().map(ToString::to_string));
    }

    /// A file that is read: `setting` is its flag.
    pub fn readable_file(&mut self, setting: &str, path: &Path) {
        let open = || -> io::Result<()> {
            match File::open(path)?.metadata()?.is_dir() {
                true => Err(io::Error::from(io::ErrorKind::IsADirectory)),
                false => Ok(()),
            }
        };
        self.io(setting, path, "cannot be read", open());
    }

    /// A folder that is read.
    pub fn readable_folder(&mut self, setting: &str, path: &Path) {
        self.io(setting, path, "cannot be read", fs::read_dir(path).map(drop));
    }

    /// A file that is written, or replaced: its folder must be there and take new files.
    pub fn writable_file(&mut self, setting: &str, path: &Path) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let may = || -> io::Result<()> {
            if path.is_dir() {
                return Err(io::Error::from(io::ErrorKind::IsADirectory));
            }
            Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
        };
        self.io(setting, path, "cannot be written", may());
    }

    /// A folder that is written, and made where there is none.
    pub fn writable_folder(&mut self, setting: &str, path: &Path) {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let may = || -> io::Result<()> {
            let there = absolute.ancestors().find(|path| path.symlink_metadata().is_ok()).unwrap_or(&absolute);
            if !there.is_dir() {
                return Err(io::Error::from(io::ErrorKind::NotADirectory));
            }
            Ok(access(there, Access::WRITE_OK | Access::EXEC_OK)?)
        };
        self.io(setting, path, "cannot be written", may());
    }

    /// An address that is listened on: taken for a moment.
    pub fn port(&mut self, setting: &str, address: impl ToSocketAddrs + std::fmt::Display) {
        if let Err(error) = TcpListener::bind(&address) {
            self.problems.push(format!("{setting} {address} cannot be listened on: {error}"));
        }
    }

    /// What was found wrong.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    fn io(&mut self, setting: &str, path: &Path, what: &str, result: io::Result<()>) {
        if let Err(error) = result {
            self.problems.push(format!("{setting} {} {what}: {error}", PathBuf::from(path).display()));
        }
    }
}

/// Prints settings and problems, and gives the exit code.
pub(super) fn finish(args: &impl Check, report: &SettingsReport) -> ExitCode {
    let mut findings = Findings::default();
    findings.conflicts(&args.conflicts());
    args.check(&mut findings);
    findings.note(traces::settings("headwater"));
    let warnings: Vec<String> = unknown_variables(std::env::vars_os()).iter().map(ToString::to_string).collect();
    let printed = match report.json {
        true => print_json(&json!({ "settings": report.to_json(), "warnings": warnings })),
        false => {
            warnings.iter().for_each(|warning| exit::warn(warning));
            print_text(report)
        }
    };
    match findings.problems() {
        [] => exit::report(printed.context("the settings could not be printed"), report.json),
        problems => {
            exit::print_mistakes(problems, report.json);
            ExitCode::from(exit::USAGE)
        }
    }
}
