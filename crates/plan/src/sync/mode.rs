//! The names of modes, rules and averages, as command lines and logs have them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How workers train together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Local steps by plan, then all exchange weights.
    Esync,
    /// One step each, then all exchange weights.
    Sync,
    /// Each exchanges weights by itself, whenever its steps are done.
    Async,
    /// One worker alone: the baseline.
    Local,
    /// All features brought to one place.
    Central,
}

/// Whose rule gives the local steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleName {
    /// The rule of [`Headwater`](super::Headwater).
    #[default]
    Headwater,
    /// ESync's own: [`Paper`](super::Paper).
    Paper,
}

/// How the weights of several workers become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Average {
    /// Each worker's change, divided by its steps (FedNova, NeurIPS 2020).
    Normalized,
    /// By the samples that each has seen.
    Samples,
    /// Each counts the same.
    Uniform,
}

/// A name that none of them has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not one of {known}")]
pub struct UnknownName {
    given: String,
    known: String,
}

// === impl Mode ===

impl Mode {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Esync, Self::Sync, Self::Async, Self::Local, Self::Central];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Esync => "esync",
            Self::Sync => "sync",
            Self::Async => "async",
            Self::Local => "local",
            Self::Central => "central",
        }
    }
}

// === impl RuleName ===

impl RuleName {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Headwater, Self::Paper];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Headwater => "headwater",
            Self::Paper => "paper",
        }
    }
}

// === impl Average ===

impl Average {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Normalized, Self::Samples, Self::Uniform];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normalized => "normalized",
            Self::Samples => "samples",
            Self::Uniform => "uniform",
        }
    }
}

/// Writes and reads a closed set by its names.
macro_rules! named {
    ($name:ty) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, UnknownName> {
                let known = || Self::ALL.map(Self::as_str).join(", ");
                let found = Self::ALL.into_iter().find(|one| one.as_str() == text);
                found.ok_or_else(|| UnknownName { given: text.chars().take(64).collect(), known: known() })
            }
        }
    };
}

named!(Mode);
named!(RuleName);
named!(Average);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused_with_those_there_are() {
        assert!(Mode::ALL.iter().all(|mode| mode.to_string().parse() == Ok(*mode)));
        assert!(RuleName::ALL.iter().all(|rule| rule.to_string().parse() == Ok(*rule)));
        assert!(Average::ALL.iter().all(|average| average.to_string().parse() == Ok(*average)));
        let error = "bsp".parse::<Mode>().unwrap_err().to_string();
        assert_eq!(error, "\"bsp\" is not one of esync, sync, async, local, central");
    }
}
