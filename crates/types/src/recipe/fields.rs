//! The keys of one table of a recipe, each with its line, so that an error names the key and the line that are wrong.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::RecipeError;
use crate::area::Size;

/// One number or `[height, width]`, as torchvision takes them.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    /// The side of a square, or the shorter side.
    One(u32),
    /// Height and width.
    Two([u32; 2]),
}

/// A table, and what messages call it.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    text: &'a str,
    table: &'a DeTable<'a>,
    /// What messages call the table: `stage 2 (resize)`.
    place: String,
    /// The table's line, counted from 1.
    line: usize,
}

/// The line of a byte of a text, counted from 1.
pub(super) fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

// === impl Fields ===

impl<'a> Fields<'a> {
    pub(super) fn new(text: &'a str, table: &'a DeTable<'a>, place: String, start: usize) -> Self {
        Self { text, table, place, line: line_of(text, start) }
    }

    /// This table under another name.
    pub(super) fn called(self, place: String) -> Self {
        Self { place, ..self }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The error that this key has this problem.
    pub(super) fn error(&self, key: &str, problem: impl Into<String>) -> RecipeError {
        let at = self.table.iter().find(|(name, _)| name.get_ref().as_ref() == key);
        let line = at.map_or(self.line, |(name, _)| line_of(self.text, name.span().start));
        RecipeError::Key { line, place: self.place.clone(), key: key.to_owned(), problem: problem.into() }
    }

    /// The error that this key is missing, with an example of its value.
    pub(super) fn missing(&self, key: &str, example: &str) -> RecipeError {
        self.error(key, format!("is missing: write {key} = {example}"))
    }

    /// Refuses keys other than these.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), RecipeError> {
        let mut keys = self.table.iter().map(|(name, _)| name.get_ref().as_ref());
        match keys.find(|key| !known.contains(key)) {
            Some(unknown) => Err(self.error(unknown, format!("is unknown here: there are {}", known.join(", ")))),
            None => Ok(()),
        }
    }

    pub(super) fn value(&self, key: &str) -> Option<&'a DeValue<'a>> {
        self.table.get(key).map(Spanned::get_ref)
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, RecipeError> {
        match self.value(key) {
            None => Ok(None),
            Some(DeValue::String(text)) => Ok(Some(text.as_ref())),
            Some(other) => Err(self.wrong(key, "a string", other)),
        }
    }

    /// The choice that is named; the first choice where the key is not there.
    pub(super) fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Result<T, RecipeError> {
        let text = self.text(key)?;
        let found = choices.iter().find(|(name, _)| text.is_none_or(|text| text == *name));
        found.map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.error(key, format!("must be one of {}, not {:?}", names.join(", "), text.unwrap_or_default()))
        })
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, RecipeError> {
        let expected = |value| self.wrong(key, "a number", value);
        self.value(key).map(|value| number(value).ok_or_else(|| expected(value))).transpose()
    }

    /// A list of exactly so many numbers.
    pub(super) fn numbers<const N: usize>(&self, key: &str) -> Result<Option<[f64; N]>, RecipeError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let wrong = || self.wrong(key, &format!("a list of {N} numbers"), value);
        let DeValue::Array(values) = value else { return Err(wrong()) };
        let values: Option<Vec<f64>> = values.iter().map(|value| number(value.get_ref())).collect();
        values.and_then(|values| values.try_into().ok()).map(Some).ok_or_else(wrong)
    }

    /// One side, or height and width.
    pub(super) fn side(&self, key: &str) -> Result<Option<Side>, RecipeError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let side = match value {
            DeValue::Array(both) => {
                let both: Option<Vec<u32>> = both.iter().map(|value| whole(value.get_ref())).collect();
                both.and_then(|both| both.try_into().ok()).map(Side::Two)
            }
            one => whole(one).map(Side::One),
        };
        side.map(Some).ok_or_else(|| self.wrong(key, "a whole number of pixels, or [height, width]", value))
    }

    fn wrong(&self, key: &str, expected: &str, value: &DeValue<'_>) -> RecipeError {
        self.error(key, format!("must be {expected}, not {}", shown(value)))
    }
}

// === impl Side ===

impl Side {
    pub(super) fn size(self) -> Size {
        let [height, width] = match self {
            Self::One(side) => [side, side],
            Self::Two(both) => both,
        };
        Size { width, height }
    }
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok().map(|whole| whole as f64),
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    }
}

fn whole(value: &DeValue<'_>) -> Option<u32> {
    let DeValue::Integer(number) = value else { return None };
    u32::from_str_radix(number.as_str(), number.radix()).ok()
}

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(values) => {
            format!("[{}]", values.iter().map(|v| shown(v.get_ref())).collect::<Vec<_>>().join(", "))
        }
        DeValue::Table(_) => "a table".to_owned(),
    }
}
