//! The kinds of fields and their names, on the wire and for people.

use std::fmt;
use std::str::FromStr;

use crate::shown;

/// What the values of a field are. A value of any kind may also be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldKind {
    /// Whole numbers of 64 bits with sign.
    Integer,
    /// Floating-point numbers of 64 bits.
    Number,
    /// UTF-8.
    Text,
    /// Lists of whole numbers, of any length.
    Integers,
    /// Lists of floating-point numbers, of any length.
    Numbers,
}

/// A name that no kind of field has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no kind of field {0:?}: a field is {all}", all = shown::listed(FieldKind::ALL, "or"))]
pub struct FieldKindError(String);

// === impl FieldKind ===

impl FieldKind {
    /// Every kind.
    pub const ALL: [Self; Self::Numbers as usize + 1] =
        [Self::Integer, Self::Number, Self::Text, Self::Integers, Self::Numbers];

    /// The kind's name, which is also its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "text",
            Self::Integers => "integers",
            Self::Numbers => "numbers",
        }
    }
}

impl FromStr for FieldKind {
    type Err = FieldKindError;

    fn from_str(name: &str) -> Result<Self, FieldKindError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| FieldKindError(name.to_owned()))
    }
}

impl fmt::Display for FieldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_names_and_no_others() {
        for kind in FieldKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        let error = "bytes".parse::<FieldKind>().unwrap_err().to_string();
        let all = "integer, number, text, integers or numbers";
        assert_eq!(error, format!("there is no kind of field \"bytes\": a field is {all}"));
    }
}
