//! What `--check-config` prints: every setting of the chosen command, its value, and where it came from.

use std::fmt;

use clap::ArgMatches;
use clap::parser::ValueSource;
use serde_json::json;

use super::layers::Layers;
use super::redact::{HIDDEN, redact};
use super::schema::{Kind, Schema, Setting};
use super::source::Source;

/// Settings as they are in force, secrets left out. Prints as a configuration file that says the same, or as JSON.
#[derive(Clone, Debug)]
pub struct SettingsReport {
    /// The settings in the order of the flags: the program's, then its subcommand's.
    pub entries: Vec<SettingEntry>,
    /// Whether `--json` is among the settings, and on.
    pub json: bool,
}

/// One setting as it is in force.
#[derive(Clone, Debug)]
pub struct SettingEntry {
    /// The subcommand that it belongs to; empty for the program's own.
    pub table: String,
    /// The long flag without dashes.
    pub key: String,
    /// The setting's values as text, redacted; `None` where it is not set.
    pub values: Option<Vec<String>>,
    /// The layer that the values came from.
    pub source: Source,
    kind: Kind,
    many: bool,
    secret: bool,
}

// === impl SettingsReport ===

impl SettingsReport {
    pub(super) fn new(schema: &Schema, layers: &Layers, matches: &ArgMatches) -> Self {
        let mut entries = Vec::new();
        let mut table = Vec::new();
        let mut level = Some(matches);
        while let Some(matches) = level {
            let here = schema.settings.iter().filter(|setting| setting.table == table);
            entries.extend(here.map(|setting| SettingEntry::new(setting, layers, matches)));
            level = matches.subcommand().map(|(name, matches)| {
                table.push(name.to_owned());
                matches
            });
        }
        let on = |entry: &SettingEntry| entry.key == "json" && entry.values.as_deref() == Some(&["true".to_owned()]);
        let json = entries.iter().any(on);
        Self { entries, json }
    }

    /// The setting with this key, whichever command it belongs to.
    pub fn get(&self, key: &str) -> Option<&SettingEntry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// `{"key": {"value": ..., "source": "..."}}`, with `table.key` for a subcommand's settings.
    pub fn to_json(&self) -> serde_json::Value {
        let named = |entry: &SettingEntry| {
            let value = entry.values.as_ref().map_or(serde_json::Value::Null, |values| entry.json(values));
            (entry.dotted(), json!({ "value": value, "source": entry.source.to_string() }))
        };
        serde_json::Value::Object(self.entries.iter().map(named).collect())
    }
}

impl fmt::Display for SettingsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.json {
            return write!(f, "{:#}", self.to_json());
        }
        let mut table = "";
        let mut separator = "";
        for entry in &self.entries {
            f.write_str(separator)?;
            if entry.table != table {
                writeln!(f, "\n[{}]", entry.table)?;
                table = &entry.table;
            }
            write!(f, "{entry}")?;
            separator = "\n";
        }
        Ok(())
    }
}

// === impl SettingEntry ===

impl SettingEntry {
    fn new(setting: &Setting, layers: &Layers, matches: &ArgMatches) -> Self {
        let raw = matches.try_get_raw(&setting.id).ok().flatten();
        let show = |value: String| if setting.secret { HIDDEN.to_owned() } else { redact(&value) };
        let source = match (matches.try_contains_id(&setting.id), layers.get(setting)) {
            (Ok(true), _) if matches.value_source(&setting.id) == Some(ValueSource::CommandLine) => Source::Flag,
            (_, Some(given)) => given.source.clone(),
            _ => Source::Default,
        };
        Self {
            table: setting.table.join("."),
            key: setting.key.clone(),
            values: raw.map(|raw| raw.map(|value| show(value.to_string_lossy().into_owned())).collect()),
            source,
            kind: setting.kind,
            many: setting.many,
            secret: setting.secret,
        }
    }

    fn dotted(&self) -> String {
        if self.table.is_empty() { self.key.clone() } else { format!("{}.{}", self.table, self.key) }
    }

    fn json(&self, values: &[String]) -> serde_json::Value {
        let one = |value: &String| match self.kind {
            Kind::Switch | Kind::Whole(_) | Kind::Number if !self.secret => {
                serde_json::from_str(value).unwrap_or_else(|_| json!(value))
            }
            _ => json!(value),
        };
        match values {
            [value] if !self.many => one(value),
            values => values.iter().map(one).collect(),
        }
    }

    fn toml(&self, values: &[String]) -> String {
        let one = |value: &String| {
            let bare = match self.kind {
                _ if self.secret => false,
                Kind::Switch => value.parse::<bool>().is_ok(),
                Kind::Whole(_) => value.parse::<i64>().is_ok_and(|number| number.to_string() == *value),
                Kind::Number | Kind::Text | Kind::Path | Kind::Parsed => false,
            };
            if bare { value.clone() } else { toml::Value::String(value.clone()).to_string() }
        };
        match values {
            [value] if !self.many => one(value),
            values => format!("[{}]", values.iter().map(one).collect::<Vec<_>>().join(", ")),
        }
    }
}

impl fmt::Display for SettingEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.values {
            Some(values) => write!(f, "{} = {} # {}", self.key, self.toml(values), self.source),
            None => write!(f, "# {} is not set", self.key),
        }
    }
}
