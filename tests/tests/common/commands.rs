//! The command lines of the three programs, as clap has them and as their help shows them.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};
use headwater_cli::settings::{Check, Findings, SettingsError, documented, list, resolve};
use headwater_measure::ProfilerArgs;
use headwater_server::StorageServerArgs;
use headwater_tune::TunerArgs;

/// A program's command line, without the program.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// With every subcommand, variable and version.
    pub(crate) command: Command,
    /// A line for each setting: program, dotted key, variable.
    pub(crate) settings: Vec<String>,
    parse: fn(&[String]) -> Result<Vec<String>, SettingsError>,
}

/// All three.
pub(crate) fn programs() -> [Program; 3] {
    [program::<StorageServerArgs>("storage-server"), program::<TunerArgs>("tuner"), program::<ProfilerArgs>("profiler")]
}

fn program<A: clap::Parser + Check>(name: &'static str) -> Program {
    Program { name, command: documented::<A>(), settings: list::<A>(), parse: parse::<A> }
}

fn parse<A: clap::Parser + Check>(line: &[String]) -> Result<Vec<String>, SettingsError> {
    let resolved = resolve::<A>(line.iter().map(OsString::from), &|_| None)?;
    let mut findings = Findings::default();
    findings.conflicts(&resolved.args.conflicts());
    resolved.args.check(&mut findings);
    Ok(findings.problems().to_vec())
}

// === impl Program ===

impl Program {
    /// What `--check-config` finds of this line, the program's name included, where nothing else is set; an error where
    /// it is no command line at all.
    pub(crate) fn parse(&self, line: &[String]) -> Result<Vec<String>, SettingsError> {
        (self.parse)(line)
    }

    /// Every command that can be called with its path of subcommands, the program's own first.
    pub(crate) fn commands(&self) -> Vec<(Vec<String>, Command)> {
        let mut found = vec![(Vec::new(), self.command.clone())];
        let mut next = 0;
        while let Some((path, command)) = found.get(next).cloned() {
            for below in command.get_subcommands() {
                let path = path.iter().cloned().chain([below.get_name().to_owned()]).collect();
                found.push((path, below.clone()));
            }
            next += 1;
        }
        found
    }
}

/// Whether an argument takes a value that the user chooses.
pub(crate) fn takes_a_value(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Set | ArgAction::Append)
}
