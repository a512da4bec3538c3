//! The two layers between flags and defaults: variables and the file, held against the schema.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;

use clap::{Arg, Command};

use super::arguments::{Variables, switch};
use super::error::SettingsError;
use super::file::{ConfigFile, Item, Scalar, Table, Value};
use super::known::{self, nearest};
use super::named;
use super::paths;
use super::schema::{Kind, Schema, Setting};
use super::source::Source;

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
    pub(super) origin: String,
    is_taken_back: bool,
}

// === impl Layers ===

impl Layers {
    /// Reads what variables and file say, and finds every mistake in it.
    pub(super) fn read(
        schema: &Schema,
        variable: Variables<'_>,
        file: Option<&ConfigFile>,
    ) -> (Self, Vec<SettingsError>) {
        let mut layers = Self::default();
        let mut mistakes = Vec::new();
        // From the weakest to the strongest: the top of the file, the subcommand's table, the variable.
        let mut items: Vec<&Item> = file.iter().flat_map(|file| file.items()).collect();
        items.sort_by_key(|item| item.key.len());
        for item in items {
            if let Some(file) = file {
                mistakes.extend(layers.add_item(schema, file, item).err());
            }
        }
        for setting in &schema.settings {
            if let Some(value) = variable(&setting.variable).filter(|value| !value.is_empty()) {
                match Given::from_variable(setting, value) {
                    Ok(given) => drop(layers.given.insert(setting.address(), given)),
                    Err(mistake) => mistakes.push(mistake),
                }
            }
        }
        // A variable speaks to every subcommand that has it, and is wrong once.
        let mut said = Vec::new();
        mistakes.retain(|mistake| {
            let words = mistake.to_string();
            let is_new = !said.contains(&words);
            said.push(words);
            is_new
        });
        (layers, mistakes)
    }

    fn add_item(&mut self, schema: &Schema, file: &ConfigFile, item: &Item) -> Result<(), SettingsError> {
        let Some((key, table)) = item.key.split_last() else { return Ok(()) };
        let is_tables = matches!(item.value, Value::Tables(_));
        if item.value == Value::EmptyTable && (schema.has_table(&item.key) || known::has_table(&item.dotted())) {
            return Ok(());
        }
        let path = || file.path().to_owned();
        let mut named: Vec<&Setting> = schema.in_table(table, key).into_iter().collect();
        if table.is_empty() {
            // At the top of the file a key speaks to every subcommand that has it.
            named = schema.settings.iter().filter(|setting| setting.key == *key).collect();
        }
        if named.is_empty() {
            // One file may serve several programs: what another of them reads is none of this one's.
            if known::is_a_key(table, key) {
                return Ok(());
            }
            let line = item.line;
            let nearest = nearest(schema, &item.dotted(), key);
            return Err(SettingsError::UnknownKey { path: path(), line, key: item.dotted(), nearest });
        }
        // Tables at the top of the file are for the program whose setting takes them.
        let takes = |setting: &&Setting| !is_tables || setting.takes_tables();
        for setting in named.into_iter().filter(|setting| !table.is_empty() || takes(setting)) {
            if let Value::Tables(tables) = &item.value
                && setting.takes_tables()
            {
                self.given.insert(setting.address(), Given::from_tables(setting, file, item, tables)?);
                continue;
            }
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

    /// Takes back what was given for a setting, which stays given: what stands there is wrong, and not missing.
    pub(super) fn take_back(&mut self, setting: &Setting) {
        if let Some(given) = self.given.get_mut(&setting.address()) {
            given.values.clear();
            given.is_taken_back = true;
        }
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
                let required = arg.is_required_set() && given.values.is_empty() && !given.is_taken_back;
                arg.required(required).default_values(given.values.clone())
            }
            None => arg,
        }
    }
}

// === impl Setting ===

impl Setting {
    fn takes_tables(&self) -> bool {
        self.many && named::takes_tables(&self.shape)
    }

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
                let value = switch(text).ok_or_else(|| refuse(format!(" must be one of true, false, not {text:?}")))?;
                vec![value.to_string().into()]
            }
            (Some(text), _) if setting.many => {
                text.split(SEPARATOR).map(str::trim).filter(|value| !value.is_empty()).map(OsString::from).collect()
            }
            (None, kind) if kind != Kind::Path => return Err(refuse(": the value is not UTF-8".to_owned())),
            _ => vec![value],
        };
        Ok(Self { values, source, origin, is_taken_back: false })
    }

    /// Fails with what the setting takes instead.
    fn from_item(setting: &Setting, file: &ConfigFile, item: &Item) -> Result<Self, &'static str> {
        let scalars = match &item.value {
            Value::Scalar(scalar) => vec![scalar.clone()],
            Value::List(scalars) if setting.many => scalars.clone(),
            Value::List(_) | Value::Tables(_) | Value::EmptyTable | Value::Other(_) => {
                return Err(setting.kind.expected());
            }
        };
        if !scalars.iter().all(|scalar| fits(scalar, setting.kind)) {
            return Err(setting.kind.expected());
        }
        Ok(Self::from_texts(setting, file, item, scalars.into_iter().map(Scalar::into_text)))
    }

    /// Fails with the table that is not whole.
    fn from_tables(setting: &Setting, file: &ConfigFile, item: &Item, tables: &[Table]) -> Result<Self, SettingsError> {
        let texts: Result<Vec<String>, String> =
            tables.iter().map(|table| named::from_table(&setting.shape, table)).collect();
        let refuse = |lacks: String| SettingsError::Value { origin: origin(file, item), problem: format!(": {lacks}") };
        Ok(Self::from_texts(setting, file, item, texts.map_err(refuse)?.into_iter()))
    }

    fn from_texts(setting: &Setting, file: &ConfigFile, item: &Item, texts: impl Iterator<Item = String>) -> Self {
        // A path is relative to the file that it stands in, wherever the program is started.
        let folder = file.path().parent().unwrap_or(Path::new(""));
        let value = |text: String| paths::beside(folder, &setting.shape, &text).unwrap_or_else(|| text.into());
        Self {
            values: texts.map(value).collect(),
            is_taken_back: false,
            source: Source::File { line: item.line },
            origin: origin(file, item),
        }
    }
}

fn origin(file: &ConfigFile, item: &Item) -> String {
    format!("{}:{}: key `{}`", file.path().display(), item.line, item.dotted())
}

/// Strings fit wherever the setting's parser takes them, so that `"4"` is 4; a number is never taken for a name.
fn fits(scalar: &Scalar, kind: Kind) -> bool {
    match scalar {
        Scalar::Text(_) => kind != Kind::Switch,
        Scalar::Integer(_) => matches!(kind, Kind::Whole(_) | Kind::Number | Kind::Parsed),
        Scalar::Float(_) => matches!(kind, Kind::Number | Kind::Parsed),
        Scalar::Bool(_) => kind == Kind::Switch,
    }
}
