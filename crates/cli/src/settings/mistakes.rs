//! What clap refuses, in words that name the flag, variable or key, and what it takes: never those of a Rust type.

use std::error::Error as _;
use std::num::{ParseFloatError, ParseIntError};

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::error::SettingsError;
use super::layers::Layers;
use super::redact::redact;
use super::schema::{Kind, Schema, Setting};

/// A refused value with the setting that it was for.
#[derive(Debug)]
pub(super) struct Mistake<'a> {
    pub(super) error: SettingsError,
    /// The setting, where its value came from a variable or the file.
    pub(super) below_flags: Option<&'a Setting>,
}

/// Says of a value that clap refused where it came from and what is wrong with it. `chosen` are the subcommands that
/// were given.
pub(super) fn blame<'a>(schema: &'a Schema, layers: &Layers, chosen: &[String], error: clap::Error) -> Mistake<'a> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    let refused = matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation);
    let (Some(argument), Some(value), true) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue), refused)
    else {
        return Mistake { error: SettingsError::Usage(Box::new(error)), below_flags: None };
    };
    let flag = argument.split([' ', '=', '[']).next().unwrap_or_default();
    let key = flag.trim_start_matches("--");
    let named = || schema.settings.iter().filter(|setting| setting.key == key && chosen.starts_with(&setting.table));
    let below = named().find_map(|setting| {
        let given = layers.get(setting)?;
        given.values.iter().any(|given| *given == *value).then_some((setting, given))
    });
    let setting = below.map(|(setting, _)| setting).or_else(|| named().next());
    let origin = match below {
        Some((_, given)) => given.origin.clone(),
        // A positional argument has no flag.
        None if flag.starts_with("--") => flag.to_owned(),
        None => argument.clone(),
    };
    let problem = match setting {
        Some(setting) if setting.secret => ": it is no value for this setting".to_owned(),
        setting => problem(setting, &value, &error),
    };
    Mistake {
        error: SettingsError::Value { origin, problem: redact(&problem) },
        below_flags: below.map(|(setting, _)| setting),
    }
}

/// What is wrong with a value, with what stands before it: ` must be ...` or `: ...`.
fn problem(setting: Option<&Setting>, value: &str, error: &clap::Error) -> String {
    if let (Some(Kind::Whole(whole)), false) = (setting.map(|setting| setting.kind), value.is_empty())
        && !whole.takes(value)
    {
        return whole.refuse(value);
    }
    if let Some(ContextValue::Strings(valid)) = error.get(ContextKind::ValidValue)
        && !valid.is_empty()
    {
        return format!(" must be one of {}, not {value:?}", valid.join(", "));
    }
    if value.is_empty() {
        let shape = setting.map_or("VALUE", |setting| &setting.shape);
        return format!(" needs a value, and got none: give {shape}");
    }
    match error.source() {
        Some(source) if source.is::<ParseFloatError>() => format!(" must be a number, not {value:?}"),
        Some(source) if source.is::<ParseIntError>() => format!(" must be a whole number, not {value:?}"),
        Some(source) => said(value, without_name(setting, &source.to_string())),
        None => format!(": {value:?} is no value for this setting"),
    }
}

/// A reason that begins with the setting's own flag, without it: the flag is said already.
fn without_name<'a>(setting: Option<&Setting>, reason: &'a str) -> &'a str {
    let flag = setting.map(|setting| format!("--{} ", setting.key));
    flag.and_then(|flag| reason.strip_prefix(&flag)).unwrap_or(reason)
}

/// The reason, which mostly repeats the value itself.
fn said(value: &str, reason: &str) -> String {
    match reason.contains(value.trim()) {
        true => format!(": {reason}"),
        false => format!(": {value:?}: {reason}"),
    }
}
