//! The two layers between flags and defaults: variables and the file, held against the schema.

use std::collections::HashMap;
use std::error::Error as _;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use super::error::SettingsError;
use super::file::{ConfigFile, Item, Scalar, Value};
use super::redact::redact;
use super::report::Source;
use super::schema::{Kind, Schema, Setting};

/// Between the values of a list in a variable: unlike a comma or a space, no model, path or URL needs it.
const SEPARATOR: char = ';';

/// What variables and file say, by table and clap id.
#[derive(Debug, Default)]
pub(super) struct Layers {
    given: HashMap<(Vec<String>, String), Given>,
}

/// A setting's value below its flag.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) values: Vec<OsString>,
    pub(super) source: Source,
    /// For messages.
    origin: String,
}

// === impl Layers ===

impl Layers {
    pub(super) fn read(
        schema: &Schema,
        variable: &dyn Fn(&str) -> Option<OsString>,
        file: Option<&ConfigFile>,
    ) -> Result<Self, SettingsError> {
        let mut layers = Self::default();
        // From the weakest to the strongest: the top of the file, the subcommand's table, the variable.
        let mut items: Vec<&Item> = file.iter().flat_map(|file| file.items()).collect();
        items.sort_by_key(|item| item.key.len());
        for item in items {
            if let Some(file) = file {
                layers.add_item(schema, file, item)?;
            }
        }
        for setting in &schema.settings {
            if let Some(value) = variable(&setting.variable).filter(|value| !value.is_empty()) {
                let given = Given::from_variable(setting, value)?;
                layers.given.insert(setting.address(), given);
            }
        }
        Ok(layers)
    }

    fn add_item(&mut self, schema: &Schema, file: &ConfigFile, item: &Item) -> Result<(), SettingsError> {
        let Some((key, table)) = item.key.split_last() else { return Ok(()) };
        if item.value == Value::EmptyTable && schema.has_table(&item.key) {
            return Ok(());
        }
        let path = || file.path().to_owned();
        let mut named: Vec<&Setting> = schema.in_table(table, key).into_iter().collect();
        if table.is_empty() {
            // At the top of the file a key speaks to every subcommand that has it.
            named = schema.settings.iter().filter(|setting| setting.key == *key).collect();
        }
        if named.is_empty() {
            return Err(SettingsError::UnknownKey {
                path: path(),
                line: item.line,
                key: item.dotted(),
                nearest: nearest(schema, &item.dotted(), key),
            });
        }
        for setting in named {
            let given = Given::from_item(setting, file, item).map_err(|expected| SettingsError::Type {
                path: path(),
                line: item.line,
                key: item.dotted(),
                expected,
                found: item.value.type_name(),
            })?;
            self.given.insert(setting.address(), given);
        }
        Ok(())
    }

    pub(super) fn get(&self, setting: &Setting) -> Option<&Given> {
        self.given.get(&setting.address())
    }

    /// The command with these layers as its defaults.
    pub(super) fn apply(&self, command: Command) -> Command {
        self.apply_at(command, &[])
    }

    fn apply_at(&self, command: Command, table: &[String]) -> Command {
        command.mut_args(|arg| self.apply_to(arg, table)).mut_subcommands(|subcommand| {
            let table: Vec<String> = table.iter().cloned().chain([subcommand.get_name().to_owned()]).collect();
            self.apply_at(subcommand, &table)
        })
    }

    fn apply_to(&self, arg: Arg, table: &[String]) -> Arg {
        // Variables were read once, by `read`: clap must not read them again.
        let arg = arg.env(None::<&'static str>);
        match self.given.get(&(table.to_vec(), arg.get_id().to_string())) {
            Some(given) => {
                let required = arg.is_required_set() && given.values.is_empty();
                arg.required(required).default_values(given.values.clone())
            }
            None => arg,
        }
    }

    /// Says of a value that clap refused which variable or key it came from.
    pub(super) fn blame(&self, schema: &Schema, error: clap::Error) -> SettingsError {
        let text = |kind| match error.get(kind) {
            Some(ContextValue::String(text)) => Some(text.as_str()),
            _ => None,
        };
        let refused = matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation);
        let (Some(argument), Some(value)) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue)) else {
            return SettingsError::Usage(Box::new(error));
        };
        let flag = argument.trim_start_matches("--").split([' ', '=', '[']).next().unwrap_or_default();
        let culprit = schema
            .settings
            .iter()
            .filter(|setting| refused && setting.key == flag)
            .find_map(|setting| self.get(setting).map(|given| (setting, given)))
            .filter(|(_, given)| given.values.iter().any(|given| *given == *value));
        let Some((setting, given)) = culprit else { return SettingsError::Usage(Box::new(error)) };
        let reason = match (error.source(), error.get(ContextKind::ValidValue)) {
            _ if setting.secret => "it is no value for this setting".to_owned(),
            (_, Some(ContextValue::Strings(valid))) if !valid.is_empty() => format!("use one of {}", valid.join(", ")),
            (Some(source), _) => source.to_string(),
            _ => "it is no value for this setting".to_owned(),
        };
        let value = if setting.secret { "***".to_owned() } else { format!("{value:?}") };
        SettingsError::Value { origin: given.origin.clone(), problem: redact(&format!("{value}: {reason}")) }
    }
}

// === impl Setting ===

impl Setting {
    fn address(&self) -> (Vec<String>, String) {
        (self.table.clone(), self.id.clone())
    }
}

// === impl Given ===

impl Given {
    fn from_variable(setting: &Setting, value: OsString) -> Result<Self, SettingsError> {
        let origin = format!("variable {}", setting.variable);
        let source = Source::Variable(setting.variable.clone());
        let refuse = |problem: String| SettingsError::Value { origin: origin.clone(), problem };
        let values = match (value.to_str(), setting.kind) {
            (Some(text), Kind::Switch) => {
                let value = switch(text).ok_or_else(|| refuse(format!("{text:?}: use one of true, false")))?;
                vec![value.to_string().into()]
            }
            (Some(text), _) if setting.many => {
                text.split(SEPARATOR).map(str::trim).filter(|value| !value.is_empty()).map(OsString::from).collect()
            }
            (None, kind) if kind != Kind::Path => return Err(refuse("the value is not UTF-8".to_owned())),
            _ => vec![value],
        };
        Ok(Self { values, source, origin })
    }

    /// Fails with what the setting takes instead.
    fn from_item(setting: &Setting, file: &ConfigFile, item: &Item) -> Result<Self, &'static str> {
        let scalars = match &item.value {
            Value::Scalar(scalar) => vec![scalar.clone()],
            Value::List(scalars) if setting.many => scalars.clone(),
            Value::List(_) | Value::EmptyTable | Value::Other(_) => return Err(setting.kind.expected()),
        };
        if !scalars.iter().all(|scalar| fits(scalar, setting.kind)) {
            return Err(setting.kind.expected());
        }
        Ok(Self {
            values: scalars.into_iter().map(Scalar::into_text).map(OsString::from).collect(),
            source: Source::File { line: item.line },
            origin: format!("{}:{}: key `{}`", file.path().display(), item.line, item.dotted()),
        })
    }
}

/// Strings fit wherever the setting's parser takes them, so that `"4"` is 4; a number is never taken for a name.
fn fits(scalar: &Scalar, kind: Kind) -> bool {
    match scalar {
        Scalar::Text(_) => kind != Kind::Switch,
        Scalar::Integer(_) => matches!(kind, Kind::Integer | Kind::Number | Kind::Parsed),
        Scalar::Float(_) => matches!(kind, Kind::Number | Kind::Parsed),
        Scalar::Bool(_) => kind == Kind::Switch,
    }
}

fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// The known key that looks most like an unknown one: the same name in another table, else the fewest edits, at most a third of it.
fn nearest(schema: &Schema, dotted: &str, key: &str) -> Option<String> {
    let elsewhere = schema.settings.iter().find(|setting| setting.key == key).map(Setting::dotted);
    elsewhere.or_else(|| {
        let closest = |setting: &Setting| {
            let full = setting.dotted();
            let edits = edits(dotted, &full).min(edits(key, &setting.key));
            (edits * 3 <= key.chars().count().max(3)).then_some((edits, full))
        };
        schema.settings.iter().filter_map(closest).min().map(|(_, key)| key)
    })
}

/// Levenshtein's distance, row by row.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}
