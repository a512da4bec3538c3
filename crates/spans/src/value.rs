//! What an attribute says.

use std::borrow::Cow;
use std::time::Duration;

/// What an attribute says.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Words.
    Text(Cow<'static, str>),
    /// Whether.
    Switch(bool),
    /// How many.
    Number(i64),
    /// How much.
    Quantity(f64),
}

/// Most bytes of a text: messages of failures may be long.
const MOST: usize = 512;

// === impl Value ===

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(mut text: String) -> Self {
        if text.len() > MOST {
            text.truncate(text.floor_char_boundary(MOST));
            text.push('\u{2026}');
        }
        Self::Text(text.into())
    }
}

impl From<bool> for Value {
    fn from(switch: bool) -> Self {
        Self::Switch(switch)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<f64> for Value {
    fn from(quantity: f64) -> Self {
        Self::Quantity(quantity)
    }
}

/// Seconds.
impl From<Duration> for Value {
    fn from(time: Duration) -> Self {
        Self::Quantity(time.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let Value::Text(text) = Value::from("\u{e9}".repeat(400)) else { panic!("a text is a text") };
        assert_eq!(text.chars().count(), 257, "512 bytes, and a sign that there was more");
        assert!(text.ends_with('\u{2026}'));
        assert_eq!(Value::from("short".to_owned()), Value::Text("short".into()));
    }
}
