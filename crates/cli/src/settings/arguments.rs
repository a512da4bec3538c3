//! What must be known of the command line before clap reads it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Command;

use super::schema::{Kind, Schema};

/// What answers for the environment.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The configuration file: `--config FILE` and `--config=FILE` as clap reads them, else the variable.
pub(super) fn config_path(arguments: &[OsString], variable: Variables<'_>) -> Option<PathBuf> {
    let mut arguments = options(arguments);
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = after(argument, "--config=") {
            return Some(PathBuf::from(path));
        }
    }
    variable("HEADWATER_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Whether the command line asks for JSON, whatever else is wrong with it; `None` where it does not speak of it.
pub(super) fn asks_for_json(arguments: &[OsString]) -> Option<bool> {
    let asked = |argument: &OsString| match argument.to_str() {
        Some("--json") => Some(true),
        Some(text) => text.strip_prefix("--json=").and_then(switch),
        None => None,
    };
    options(arguments).filter_map(asked).last()
}

/// The words of a switch.
pub(super) fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// The arguments with negative values joined to their flags: `--epoch -5` is `--epoch=-5`. No flag of ours is a number,
/// so that what looks like one is a value, and is refused as such where it is out of range; clap would speak of an
/// unexpected argument.
pub(super) fn join_negatives(schema: &Schema, arguments: Vec<OsString>) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::with_capacity(arguments.len());
    let mut over = false;
    for argument in arguments {
        over |= argument == "--";
        match joined.last_mut() {
            Some(flag) if !over && is_negative(&argument) && takes_a_value(schema, flag) => {
                flag.push("=");
                flag.push(argument);
            }
            _ => joined.push(argument),
        }
    }
    joined
}

fn is_negative(argument: &OsString) -> bool {
    let rest = argument.to_str().and_then(|text| text.strip_prefix('-'));
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') || matches!(rest, "inf" | "nan"))
}

fn takes_a_value(schema: &Schema, flag: &OsString) -> bool {
    let key = flag.to_str().and_then(|text| text.strip_prefix("--"));
    key.is_some_and(|key| schema.settings.iter().any(|setting| setting.key == key && setting.kind != Kind::Switch))
}

/// The subcommands that the arguments lead to, outermost first.
pub(super) fn chosen(command: &Command, arguments: &[OsString]) -> Vec<String> {
    let mut chosen = Vec::new();
    let mut at = command;
    for argument in arguments.iter().skip(1).take_while(|argument| *argument != "--") {
        if let Some(below) = argument.to_str().and_then(|name| at.find_subcommand(name)) {
            chosen.push(below.get_name().to_owned());
            at = below;
        }
    }
    chosen
}

fn options(arguments: &[OsString]) -> impl Iterator<Item = &OsString> {
    arguments.iter().skip(1).take_while(|argument| *argument != "--")
}

#[cfg(unix)]
fn after(argument: &OsString, prefix: &str) -> Option<OsString> {
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    argument.as_bytes().strip_prefix(prefix.as_bytes()).map(|rest| OsString::from_vec(rest.to_vec()))
}

#[cfg(not(unix))]
fn after(argument: &OsString, prefix: &str) -> Option<OsString> {
    argument.to_str()?.strip_prefix(prefix).map(OsString::from)
}
