//! Settings in four layers: a flag wins over a variable, a variable over the configuration file, the file over the
//! default.
//!
//! A program only declares its flags with clap. From each long flag `--cpu-workers` follow the variable
//! `HEADWATER_CPU_WORKERS` (another name is set with clap's `env`) and the key `cpu-workers`, at the top of the file or in
//! the table of its subcommand:
//!
//! ```toml
//! log = "info"
//! [serve]
//! data = "/srv/photos"
//! cpu-workers = 4
//! model = ["mobilenet=/srv/mobilenet.onnx,recipe=mobilenet-eval"]
//! ```
//!
//! Lists: a flag that may be repeated takes a list in the file, and `;` between values in its variable. A layer replaces
//! the whole list of the layers below. Switches: `--json=false` takes back what a lower layer switched on. An empty
//! variable counts as not set. Secrets: an argument marked `hide_env_values` is never printed.
//!
//! How: variables and file become clap's defaults, so that clap's own parsers check every value whatever its layer, and a
//! required flag given below counts as given. The alternative, to deserialise a second struct by serde and merge, would
//! state every type and default twice. What it costs: `requires`, `conflicts_with` and required groups see only flags.
//!
//! Never done here: the process's environment is not changed, and no value is read from anywhere else.

mod error;
mod file;
mod layers;
mod redact;
mod report;
mod schema;

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;

pub use error::SettingsError;
pub use file::ConfigFile;
pub use redact::redact;
pub use report::{Entry, Report, Source};

use layers::Layers;
use schema::Schema;

/// Settings with all layers applied.
#[derive(Debug)]
pub struct Resolved<A> {
    /// The program's arguments.
    pub args: A,
    /// Every setting, its value and where it came from.
    pub report: Report,
    /// Whether `--check-config` was given.
    pub check_config: bool,
}

/// Reads the process's arguments, variables and configuration file.
///
/// # Errors
/// The exit code, where there is nothing left to do: help, version or `--check-config` was printed (0), or a mistake in the
/// settings was (2).
pub fn parse<A: clap::Parser>() -> Result<A, ExitCode> {
    match resolve::<A>(std::env::args_os(), &|name| std::env::var_os(name)) {
        Ok(resolved) if resolved.check_config => Err(crate::exit::printed(&resolved.report)),
        Ok(resolved) => Ok(resolved.args),
        Err(SettingsError::Usage(error)) => {
            // A closed pipe is the only way in which printing fails, and leaves nobody to tell.
            let _ = error.print();
            Err(ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(crate::exit::USAGE)))
        }
        Err(error) => {
            crate::exit::print_error(&anyhow::Error::new(error), false);
            Err(ExitCode::from(crate::exit::USAGE))
        }
    }
}

/// As [`parse`], from these arguments (the first is the program's name) and variables; only the configuration file
/// that they name is read.
pub fn resolve<A: clap::Parser>(
    arguments: impl IntoIterator<Item = OsString>,
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Resolved<A>, SettingsError> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let command = schema::prepare(A::command());
    // Help needs no configuration, so it must not stumble over a broken one.
    if let Err(error) = schema::with_variables_in_help(command.clone()).try_get_matches_from(&arguments)
        && is_help(error.kind())
    {
        return Err(SettingsError::Usage(Box::new(error)));
    }
    let file = config_path(&arguments, variable).map(ConfigFile::read).transpose()?;
    resolve_command(command, &arguments, variable, file.as_ref())
}

fn resolve_command<A: clap::FromArgMatches>(
    command: clap::Command,
    arguments: &[OsString],
    variable: &dyn Fn(&str) -> Option<OsString>,
    file: Option<&ConfigFile>,
) -> Result<Resolved<A>, SettingsError> {
    let schema = Schema::of(&command);
    let layers = Layers::read(&schema, variable, file)?;
    let mut command = layers.apply(command);
    let mut matches = command.try_get_matches_from_mut(arguments).map_err(|error| layers.blame(&schema, error))?;
    let report = Report::new(&schema, &layers, &matches);
    let check_config = matches.try_get_one("check_config").ok().flatten().copied().unwrap_or(false);
    let args = A::from_arg_matches_mut(&mut matches)
        .map_err(|error| SettingsError::Usage(Box::new(error.format(&mut command))))?;
    Ok(Resolved { args, report, check_config })
}

fn is_help(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    )
}

/// The file must be known before clap can run with its values: `--config FILE` and `--config=FILE`, as clap reads them.
fn config_path(arguments: &[OsString], variable: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let mut arguments = arguments.iter().skip(1).take_while(|argument| *argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument.as_encoded_bytes().strip_prefix(b"--config=") {
            return std::str::from_utf8(path).ok().map(PathBuf::from).or_else(|| os_suffix(argument, path.len()));
        }
    }
    variable("HEADWATER_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The last `length` bytes of an argument that is not UTF-8.
#[cfg(unix)]
fn os_suffix(argument: &OsStr, length: usize) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    let bytes = argument.as_bytes();
    bytes.len().checked_sub(length).map(|start| PathBuf::from(OsStr::from_bytes(&bytes[start..])))
}

#[cfg(not(unix))]
fn os_suffix(_argument: &OsStr, _length: usize) -> Option<PathBuf> {
    None
}

#[cfg(test)]
mod tests;
