//! Settings in four layers: a flag wins over a variable, a variable over the configuration file, the file over the
//! default.
//!
//! A program only declares its flags with clap. From each long flag `--cpu-workers` follow the variable
//! `HEADWATER_CPU_WORKERS` (another name is set with clap's `env`) and the key `cpu-workers`, at the top of the file or
//! in the table of its subcommand:
//!
//! ```toml
//! log = "info"
//! [serve]
//! data = "/srv/photos"
//! cpu-workers = 4
//! model = ["mobilenet=/srv/mobilenet.onnx,recipe=mobilenet-eval"]
//! ```
//!
//! A flag of the shape `NAME=...,option=...` that may be repeated can also stand in the file as tables, one for each
//! value ([`named`]):
//!
//! ```toml
//! [[serve.dataset]]
//! name = "flowers"
//! uri = "s3://bucket/flowers"
//! partition = "1/2"
//! ```
//!
//! Lists: a flag that may be repeated takes a list in the file, and `;` between values in its variable. A layer
//! replaces the whole list of the layers below. Switches: `--json=false` takes back what a lower layer switched on. An
//! empty variable counts as not set. Secrets: an argument marked `hide_env_values` is never printed.
//!
//! One file may serve several programs: a table or key that another of them reads is passed over ([`known`]), and one
//! that none reads is an error. Paths in a file are relative to it. Every mistake is printed, and not only the first,
//! in words of flags and values.
//!
//! Every program also has `completions` and `man`, and behind every subcommand `--version`.
//!
//! How: variables and file become clap's defaults, so that clap's own parsers check every value whatever its layer, and
//! a required flag given below counts as given. The alternative, to deserialise a second struct by serde and merge,
//! would state every type and default twice. What it costs: `requires`, `conflicts_with` and required groups of clap
//! see only flags, so that programs say by [`Check::conflicts`] what does not go together.
//!
//! Never done here: the process's environment is not changed, and no value is read from anywhere else.

mod redact;

mod error;
mod one_line;

mod extras;
mod schema;
mod source;
mod whole;

mod arguments;
mod file;
pub mod known;
mod layers;
mod mistakes;
mod named;
mod paths;

pub mod check;
mod report;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::error::ErrorKind;

pub use check::{Check, Findings};
pub use error::SettingsError;
pub use file::ConfigFile;
pub use redact::redact;
pub use report::{SettingEntry, SettingsReport};
pub use source::Source;

use arguments::{Variables, asks_for_json, chosen, config_path, join_negatives};
use layers::Layers;
use schema::Schema;

use crate::exit;
use crate::version::{self, Build};

/// Settings with all layers applied.
#[derive(Debug)]
pub struct Resolved<A> {
    /// The program's arguments.
    pub args: A,
    /// Every setting, its value and where it came from.
    pub report: SettingsReport,
    /// Whether `--check-config` was given.
    pub check_config: bool,
}

/// What a command line asks for.
#[derive(Debug)]
enum Asked<A> {
    /// The program's work.
    Work(Box<Resolved<A>>),
    /// One of the [`extras`].
    Extra(clap::ArgMatches),
}

/// Reads the process's arguments, variables and configuration file. The build is the program's:
/// `headwater_cli::build!()`.
///
/// # Errors
/// The exit code, where there is nothing left to do: help, version, completions, a man page or a `--check-config`
/// without problems was printed (0), or a mistake in the settings was (2).
pub fn parse<A: clap::Parser + Check>(build: Build) -> Result<A, ExitCode> {
    version::install(build);
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let variable = |name: &str| std::env::var_os(name);
    match ask::<A>(&arguments, &variable) {
        Ok(Asked::Work(resolved)) if resolved.check_config => Err(check::finish(&resolved.args, &resolved.report)),
        Ok(Asked::Work(resolved)) => match resolved.args.conflicts() {
            none if none.is_empty() => Ok(resolved.args),
            conflicts => {
                let words: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
                exit::print_mistakes(&words, resolved.report.json);
                Err(ExitCode::from(exit::USAGE))
            }
        },
        Ok(Asked::Extra(matches)) => Err(exit::report(extras::run(documented::<A>(), &matches), false)),
        Err(error) => Err(refuse(&error, wants_json(&arguments, &variable))),
    }
}

/// Reads settings as [`parse`] does, from these arguments (the first is the program's name) and these variables. Only
/// the configuration file that they name is read.
pub fn resolve<A: clap::Parser>(
    arguments: impl IntoIterator<Item = OsString>,
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Resolved<A>, SettingsError> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match ask(&arguments, variable)? {
        Asked::Work(resolved) => Ok(*resolved),
        Asked::Extra(_) => Err(SettingsError::Usage(Box::new(clap::Error::new(ErrorKind::InvalidSubcommand)))),
    }
}

/// The program's command with all that this module adds, as its help shows it: for references, pages and completions.
pub fn documented<A: clap::CommandFactory>() -> clap::Command {
    schema::documented(A::command())
}

/// A line for each setting of a program, as [`known`] has them: program, dotted key, variable.
pub fn list<A: clap::CommandFactory>() -> Vec<String> {
    let command = A::command();
    let line = |setting: schema::Setting| format!("{} {} {}", command.get_name(), setting.dotted(), setting.variable);
    Schema::of(&command).settings.into_iter().map(line).collect()
}

fn ask<A: clap::Parser>(arguments: &[OsString], variable: Variables<'_>) -> Result<Asked<A>, SettingsError> {
    let command = schema::prepare(A::command());
    // Help needs no configuration, so it must not stumble over a broken one.
    if let Err(error) = schema::with_variables(command.clone()).try_get_matches_from(arguments)
        && is_help(error.kind())
    {
        return Err(SettingsError::Usage(Box::new(error)));
    }
    if chosen(&command, arguments).first().is_some_and(|name| extras::NAMES.contains(&name.as_str())) {
        let matches = command.try_get_matches_from(arguments);
        return matches.map(Asked::Extra).map_err(|error| SettingsError::Usage(Box::new(error)));
    }
    let file = config_path(arguments, variable).map(ConfigFile::read).transpose()?;
    resolve_command(&command, arguments, variable, file.as_ref()).map(|resolved| Asked::Work(Box::new(resolved)))
}

fn resolve_command<A: clap::FromArgMatches>(
    command: &clap::Command,
    arguments: &[OsString],
    variable: Variables<'_>,
    file: Option<&ConfigFile>,
) -> Result<Resolved<A>, SettingsError> {
    let schema = Schema::of(command);
    let chosen = chosen(command, arguments);
    let arguments = join_negatives(&schema, arguments.to_vec());
    let (mut layers, mut mistakes) = Layers::read(&schema, variable, file);
    // Clap stops at the first value that it refuses. One from below the flags is put aside, to see what else is wrong.
    let (mut command, mut matches) = loop {
        let mut layered = layers.apply(command.clone());
        match layered.try_get_matches_from_mut(&arguments) {
            Ok(matches) => break (layered, matches),
            Err(error) => {
                let mistake = mistakes::blame(&schema, &layers, &chosen, error);
                // What seems to be missing may only be wrong, or be called by another name.
                if mistakes.is_empty() || !matches!(mistake.error, SettingsError::Usage(_)) {
                    mistakes.push(mistake.error);
                }
                match mistake.below_flags {
                    Some(setting) => layers.take_back(setting),
                    None => return Err(SettingsError::of(mistakes).unwrap_or_else(SettingsError::unexplained)),
                }
            }
        }
    };
    if let Some(error) = SettingsError::of(mistakes) {
        return Err(error);
    }
    let report = SettingsReport::new(&schema, &layers, &matches);
    let check_config = matches.try_get_one("check_config").ok().flatten().copied().unwrap_or(false);
    let args = A::from_arg_matches_mut(&mut matches)
        .map_err(|error| SettingsError::Usage(Box::new(error.format(&mut command))))?;
    Ok(Resolved { args, report, check_config })
}

/// Says what is wrong, and gives the exit code: help and version are printed here too.
fn refuse(error: &SettingsError, json: bool) -> ExitCode {
    if let SettingsError::Usage(usage) = error
        && (!json || !usage.use_stderr())
    {
        let printed = usage.print().and_then(|()| io::stdout().flush());
        if let Err(error) = printed
            && !usage.use_stderr()
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            return exit::report(Err(error).context("help could not be printed"), json);
        }
        return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(exit::USAGE));
    }
    exit::print_mistakes(&error.each(), json);
    ExitCode::from(exit::USAGE)
}

/// Whether errors are JSON, by the first layer that says so, whatever else is wrong: a program that reads them must be
/// able to.
fn wants_json(arguments: &[OsString], variable: Variables<'_>) -> bool {
    let in_variable = || variable("HEADWATER_JSON").and_then(|value| value.to_str().and_then(arguments::switch));
    let in_file = || ConfigFile::read(config_path(arguments, variable)?).ok()?.switch("json");
    asks_for_json(arguments).or_else(in_variable).or_else(in_file).unwrap_or(false)
}

fn is_help(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    )
}

#[cfg(test)]
mod tests;
