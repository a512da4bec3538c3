//! The settings that a program has, as its clap command declares them: nothing is declared twice.

use std::any::TypeId;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command};

use super::extras;
use super::whole::Whole;
use crate::version;

/// Flags that steer this module itself, and so cannot be keys of the file.
const NOT_KEYS: [&str; 2] = ["config", "check-config"];
const PREFIX: &str = "HEADWATER_";

/// Every setting of a program and of its subcommands.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) settings: Vec<Setting>,
}

/// A long flag, with its other two names.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// The subcommands that lead to it, outermost first.
    pub(super) table: Vec<String>,
    /// The argument's id in clap.
    pub(super) id: String,
    /// The long flag without dashes.
    pub(super) key: String,
    pub(super) variable: String,
    pub(super) kind: Kind,
    /// Whether the setting takes a list.
    pub(super) many: bool,
    pub(super) secret: bool,
    /// The shape that help shows for the value: `FILE`, `NAME|FILE`.
    pub(super) shape: String,
}

/// What a setting's values look like in TOML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A boolean.
    Switch,
    /// An integer.
    Whole(Whole),
    /// A number.
    Number,
    /// The setting takes a string of any content.
    Text,
    /// A string that may be no UTF-8.
    Path,
    /// A string or number that a type of its own reads, such as a size.
    Parsed,
}

// === impl Schema ===

impl Schema {
    pub(super) fn of(command: &Command) -> Self {
        let mut settings = Vec::new();
        collect(command, &mut Vec::new(), &mut settings);
        Self { settings }
    }

    /// The setting of that table with that key.
    pub(super) fn in_table(&self, table: &[String], key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.table == table && setting.key == key)
    }

    /// Whether a program with such a subcommand could have this table.
    pub(super) fn has_table(&self, table: &[String]) -> bool {
        self.settings.iter().any(|setting| setting.table.starts_with(table))
    }
}

fn collect(command: &Command, table: &mut Vec<String>, settings: &mut Vec<Setting>) {
    settings.extend(command.get_arguments().filter_map(|arg| Setting::of(arg, table)));
    for subcommand in command.get_subcommands().filter(|below| !extras::NAMES.contains(&below.get_name())) {
        table.push(subcommand.get_name().to_owned());
        collect(subcommand, table, settings);
        table.pop();
    }
}

// === impl Setting ===

impl Setting {
    fn of(arg: &Arg, table: &[String]) -> Option<Self> {
        let key = key_of(arg)?;
        Some(Self {
            table: table.to_vec(),
            id: arg.get_id().to_string(),
            key: key.to_owned(),
            variable: variable_of(arg, key),
            kind: Kind::of(arg),
            many: matches!(arg.get_action(), ArgAction::Append)
                || arg.get_value_delimiter().is_some()
                || arg.get_num_args().is_some_and(|range| range.max_values() > 1),
            secret: arg.is_hide_env_values_set(),
            shape: arg.get_value_names().unwrap_or_default().join(" "),
        })
    }

    /// The key with its table.
    pub(super) fn dotted(&self) -> String {
        self.table.iter().chain([&self.key]).map(String::as_str).collect::<Vec<_>>().join(".")
    }
}

/// The key of an argument that is a setting: positional arguments and `--help` are none.
fn key_of(arg: &Arg) -> Option<&str> {
    let takes_part =
        !matches!(arg.get_action(), ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version);
    arg.get_long().filter(|key| takes_part && !NOT_KEYS.contains(key))
}

fn variable_of(arg: &Arg, key: &str) -> String {
    match arg.get_env().and_then(|name| name.to_str()) {
        Some(name) => name.to_owned(),
        None => format!("{PREFIX}{}", key.replace('-', "_").to_uppercase()),
    }
}

// === impl Kind ===

impl Kind {
    fn of(arg: &Arg) -> Self {
        let parsed = arg.get_value_parser().type_id();
        let is = |types: &[TypeId]| types.iter().any(|id| parsed == *id);
        if is(&[TypeId::of::<bool>()]) {
            Self::Switch
        } else if let Some(whole) = Whole::of(arg.get_value_parser()) {
            Self::Whole(whole)
        } else if is(&[TypeId::of::<f32>(), TypeId::of::<f64>()]) {
            Self::Number
        } else if is(&[TypeId::of::<String>()]) {
            Self::Text
        } else if is(&[TypeId::of::<PathBuf>(), TypeId::of::<OsString>()]) {
            Self::Path
        } else {
            Self::Parsed
        }
    }

    /// What a key of this kind takes, for messages.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Switch => "a boolean",
            Self::Whole(_) => "an integer",
            Self::Number => "a number",
            Self::Text | Self::Path => "a string",
            Self::Parsed => "a string or a number",
        }
    }
}

/// The command as it is read: with the subcommands and the version that every program has, and switches that can be
/// taken back.
pub(super) fn prepare(command: Command) -> Command {
    let name = command.get_name().to_owned();
    let command = extras::add(command).version(version::long()).propagate_version(true);
    named_for_version(with_switches(command), &name)
}

/// The command whose pages, completions and help name every variable.
pub(super) fn documented(command: Command) -> Command {
    with_variables(extras::add(command).version(version::long()).propagate_version(true))
}

/// `--version` gives the same line behind every subcommand.
fn named_for_version(command: Command, name: &str) -> Command {
    command.display_name(name.to_owned()).mut_subcommands(|below| named_for_version(below, name))
}

fn with_switches(command: Command) -> Command {
    command.mut_args(take_back).mut_subcommands(with_switches)
}

fn take_back(arg: Arg) -> Arg {
    if key_of(&arg).is_none() || !matches!(arg.get_action(), ArgAction::SetTrue) {
        return arg;
    }
    arg.action(ArgAction::Set)
        .value_name("BOOL")
        .hide_possible_values(true)
        .hide_default_value(true)
        .num_args(0..=1)
        .require_equals(true)
        .default_value("false")
        .default_missing_value("true")
}

/// The command whose help names every variable.
pub(super) fn with_variables(command: Command) -> Command {
    let name = |arg: Arg| match key_of(&arg).map(|key| variable_of(&arg, key)) {
        Some(variable) => arg.env(variable).hide_env_values(true),
        None if arg.get_long() == Some("config") => arg.env(format!("{PREFIX}CONFIG")).hide_env_values(true),
        None => arg,
    };
    command.mut_args(name).mut_subcommands(|below| match extras::NAMES.contains(&below.get_name()) {
        true => below,
        false => with_variables(below),
    })
}
