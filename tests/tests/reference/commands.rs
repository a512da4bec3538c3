//! A program's flags and variables, from its clap command.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command, CommandFactory};
use headwater_cli::settings;

use crate::markdown::{code, head, sentence, table};

/// Columns of a table of settings.
const COLUMNS: [&str; 4] = ["setting", "variable", "default", "what it is"];
const WITHOUT_HEADING: &str = "";

/// The page of a program.
pub(crate) fn page<A: CommandFactory>() -> String {
    let command = settings::documented::<A>();
    let name = command.get_name().to_owned();
    let text = format!(
        "{}. A flag wins over its variable, a variable over the key in `--config FILE.toml`, and a key over the \
         default. A key is the flag's name without the dashes, at the top of the file or in the table of its \
         subcommand.",
        about(&command)
    );
    let mut page = head(&name, &text);
    writeln!(page, "\n## Every subcommand").unwrap();
    settings_of(&mut page, &command, "###");
    subcommands(&mut page, &command, &name);
    page
}

fn subcommands(page: &mut String, command: &Command, path: &str) {
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        let path = format!("{path} {}", below.get_name());
        writeln!(page, "\n## {path}\n\n{}.", about(below)).unwrap();
        settings_of(page, below, "###");
        subcommands(page, below, &path);
    }
}

fn about(command: &Command) -> String {
    let about = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string).unwrap_or_default();
    sentence(about.trim_end_matches('.'))
}

/// A table for each heading of its help, in the order of the first setting of each.
fn settings_of(page: &mut String, command: &Command, level: &str) {
    let mut headings: Vec<&str> = Vec::new();
    let mut tables: BTreeMap<&str, Vec<[String; 4]>> = BTreeMap::new();
    for arg in command.get_arguments().filter(|arg| is_setting(arg)) {
        let heading = arg.get_help_heading().unwrap_or(WITHOUT_HEADING);
        if !headings.contains(&heading) {
            headings.push(heading);
        }
        tables.entry(heading).or_default().push(row(arg));
    }
    for heading in headings {
        if heading != WITHOUT_HEADING {
            writeln!(page, "\n{level} {heading}").unwrap();
        }
        table(page, COLUMNS, tables.remove(heading).unwrap_or_default());
    }
}

fn is_setting(arg: &Arg) -> bool {
    let shows =
        matches!(arg.get_action(), ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version);
    !arg.is_hide_set() && !shows
}

fn row(arg: &Arg) -> [String; 4] {
    let variable = arg.get_env().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let shown = !arg.is_hide_default_value_set() && arg.get_action().takes_values();
    let defaults: Vec<_> =
        arg.get_default_values().iter().filter(|_| shown).map(|value| value.to_string_lossy()).collect();
    [code(&name(arg)), code(&variable), code(&defaults.join(" ")), what(arg)]
}

fn name(arg: &Arg) -> String {
    let values: Vec<String> = arg.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
    let is_switch = !arg.get_action().takes_values() || values == ["BOOL"];
    let value = if is_switch { String::new() } else { values.join(" ") };
    match (arg.get_long(), arg.is_required_set()) {
        (Some(long), _) if value.is_empty() => format!("--{long}"),
        (Some(long), _) => format!("--{long} {value}"),
        (None, true) => value,
        (None, false) => format!("[{value}]"),
    }
}

fn what(arg: &Arg) -> String {
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut what = sentence(&help);
    if let Some(short) = arg.get_short() {
        write!(what, "; also `-{short}`").unwrap();
    }
    if let Some(aliases) = arg.get_visible_aliases() {
        for alias in aliases {
            write!(what, "; also `--{alias}`").unwrap();
        }
    }
    let possible: Vec<_> = arg.get_possible_values().iter().map(|value| code(value.get_name())).collect();
    if !possible.is_empty() && !arg.is_hide_possible_values_set() && possible != ["`true`", "`false`"] {
        write!(what, ": {}", possible.join(", ")).unwrap();
    }
    if arg.is_required_set() {
        what.push_str(" (required)");
    }
    what
}
