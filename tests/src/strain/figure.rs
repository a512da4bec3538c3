//! What a situation gives: figures, and whether each keeps its limit.

use std::fmt;

/// One figure of a situation.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What was measured or looked at.
    pub what: String,
    /// What was found.
    pub found: String,
    /// What was found as a number, where it is one.
    pub value: Option<f64>,
    /// What is wanted; empty where the figure is only for information.
    pub wanted: String,
    /// Whether what was found is as wanted.
    pub kept: bool,
}

// === impl Figure ===

impl Figure {
    /// A number that nothing is wanted of.
    pub fn number(what: impl fmt::Display, value: f64, unit: &str) -> Self {
        let found = show(value, unit);
        Self { what: what.to_string(), found, value: Some(value), wanted: String::new(), kept: true }
    }

    /// A number that has a limit.
    pub fn at_most(what: impl fmt::Display, value: f64, unit: &str, limit: f64) -> Self {
        let wanted = format!("<= {}", show(limit, unit));
        Self { wanted, kept: value <= limit, ..Self::number(what, value, unit) }
    }

    /// Something that has to be so.
    pub fn holds(what: impl fmt::Display, found: impl fmt::Display, wanted: &str, kept: bool) -> Self {
        Self { what: what.to_string(), found: found.to_string(), value: None, wanted: wanted.to_owned(), kept }
    }

    /// Something for information.
    pub fn note(what: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self::holds(what, found, "", true)
    }
}

fn show(value: f64, unit: &str) -> String {
    match value.abs() {
        size if size >= 100.0 || value.fract() == 0.0 => format!("{value:.0} {unit}").trim_end().to_owned(),
        _ => format!("{value:.2} {unit}").trim_end().to_owned(),
    }
}
