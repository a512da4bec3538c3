//! The configuration file: read under a limit, parsed with the line of every key.

use std::path::{Path, PathBuf};

use headwater_types::ByteCount;
use headwater_types::caps::MAX_CONFIG_BYTES;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::SettingsError;
use crate::input::read_at_most;

/// A configuration file's keys and values: outside bytes, not yet held against any setting.
#[derive(Debug)]
pub struct ConfigFile {
    path: PathBuf,
    items: Vec<Item>,
}

/// A key at the top of the file, or in a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    /// The tables that it is in, outermost first, and its own name.
    pub(super) key: Vec<String>,
    pub(super) value: Value,
    /// Counted from 1.
    pub(super) line: usize,
}

/// A value in the form in which clap's parsers take it, and the TOML type that it was.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Scalar(Scalar),
    List(Vec<Scalar>),
    /// Tables of one name, as `[[dataset]]` begins them: each has keys with one value or several.
    Tables(Vec<Table>),
    /// An empty table; one with keys is its keys.
    EmptyTable,
    /// A date, or a list that holds lists or tables: no setting takes it.
    Other(&'static str),
}

/// The keys of a table, each with one value or several.
pub(super) type Table = Vec<(String, Vec<Scalar>)>;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Text(String),
    Integer(String),
    Float(String),
    Bool(bool),
}

// === impl ConfigFile ===

impl ConfigFile {
    /// Reads and parses the file at this path.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self, SettingsError> {
        let path = path.into();
        match read_at_most(&path, MAX_CONFIG_BYTES as u64) {
            Ok(text) => Self::parse(path, &text),
            Err(source) => Err(SettingsError::Read { path, source }),
        }
    }

    /// Parses the content of a file; the path is for messages.
    pub fn parse(path: impl Into<PathBuf>, content: &[u8]) -> Result<Self, SettingsError> {
        let path = path.into();
        if content.len() > MAX_CONFIG_BYTES {
            return Err(SettingsError::TooLong { path, limit: ByteCount::from(MAX_CONFIG_BYTES) });
        }
        let text = match std::str::from_utf8(content) {
            Ok(text) => text,
            Err(error) => {
                let line = line_of(content, error.valid_up_to());
                return Err(SettingsError::Syntax { path, line, message: "this is not UTF-8 text".to_owned() });
            }
        };
        match DeTable::parse(text) {
            Ok(table) => {
                let mut items = Vec::new();
                flatten(text, table.get_ref(), &mut Vec::new(), &mut items);
                items.sort_by_key(|item| item.line);
                Ok(Self { path, items })
            }
            Err(error) => {
                let line = error.span().map_or(1, |span| line_of(content, span.start));
                Err(SettingsError::Syntax { path, line, message: error.message().trim_end().to_owned() })
            }
        }
    }

    /// The switch of this name at the top of the file.
    pub(super) fn switch(&self, key: &str) -> Option<bool> {
        let found = self.items.iter().find(|item| item.dotted() == key);
        found.and_then(|item| if let Value::Scalar(Scalar::Bool(on)) = item.value { Some(on) } else { None })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// In the order of the file.
    pub(super) fn items(&self) -> &[Item] {
        &self.items
    }
}

// === impl Item ===

impl Item {
    /// The key as it would stand at the top of a file.
    pub(super) fn dotted(&self) -> String {
        self.key.join(".")
    }
}

// === impl Value ===

impl Value {
    /// The TOML type, for messages.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Scalar(scalar) => scalar.type_name(),
            Self::List(_) => "a list",
            Self::Tables(_) => "a list of tables",
            Self::EmptyTable => "a table",
            Self::Other(name) => name,
        }
    }
}

// === impl Scalar ===

impl Scalar {
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Bool(_) => "a boolean",
        }
    }

    pub(super) fn into_text(self) -> String {
        match self {
            Self::Text(text) | Self::Integer(text) | Self::Float(text) => text,
            Self::Bool(value) => value.to_string(),
        }
    }
}

fn line_of(content: &[u8], offset: usize) -> usize {
    1 + content.iter().take(offset).filter(|&&byte| byte == b'\n').count()
}

/// Depth is bounded by the TOML parser's own limit on nesting.
fn flatten(text: &str, table: &DeTable<'_>, prefix: &mut Vec<String>, items: &mut Vec<Item>) {
    for (key, value) in table {
        prefix.push(key.get_ref().clone().into_owned());
        match value.get_ref() {
            DeValue::Table(inner) if !inner.is_empty() => flatten(text, inner, prefix, items),
            value => {
                let line = line_of(text.as_bytes(), key.span().start);
                items.push(Item { key: prefix.clone(), value: convert(value), line });
            }
        }
        prefix.pop();
    }
}

fn convert(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::Array(values) => {
            let other = Value::Other("a list of lists, tables or dates");
            match (scalars(values), tables(values)) {
                (Some(scalars), _) => Value::List(scalars),
                (None, Some(tables)) => Value::Tables(tables),
                (None, None) => other,
            }
        }
        DeValue::Table(_) => Value::EmptyTable,
        value => scalar(value).map_or(Value::Other("a date"), Value::Scalar),
    }
}

fn scalars(values: &[Spanned<DeValue<'_>>]) -> Option<Vec<Scalar>> {
    values.iter().map(Spanned::get_ref).map(scalar).collect()
}

fn tables(values: &[Spanned<DeValue<'_>>]) -> Option<Vec<Table>> {
    let one = |value: &DeValue<'_>| match value {
        DeValue::Array(values) => scalars(values),
        value => scalar(value).map(|scalar| vec![scalar]),
    };
    let table = |value: &Spanned<DeValue<'_>>| {
        let DeValue::Table(table) = value.get_ref() else { return None };
        let keys = table.iter().map(|(key, value)| Some((key.get_ref().clone().into_owned(), one(value.get_ref())?)));
        keys.collect::<Option<Vec<_>>>()
    };
    values.iter().map(table).collect()
}

fn scalar(value: &DeValue<'_>) -> Option<Scalar> {
    match value {
        DeValue::String(text) => Some(Scalar::Text(text.clone().into_owned())),
        // What does not fit 128 bits stays as written, for the setting's parser to refuse.
        DeValue::Integer(number) => Some(Scalar::Integer(
            i128::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| number.as_str().to_owned(), |number| number.to_string()),
        )),
        DeValue::Float(number) => Some(Scalar::Float(number.as_str().to_owned())),
        DeValue::Boolean(value) => Some(Scalar::Bool(*value)),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}
