//! What was found, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json as object};

use super::figure::Figure;

/// A situation that was tried.
#[derive(Debug)]
pub struct Tried {
    /// The situation's name.
    pub situation: &'static str,
    /// The time that the situation took, in seconds.
    pub seconds: f64,
    /// The figures that the situation gave.
    pub figures: Vec<Figure>,
}

// === impl Tried ===

impl Tried {
    /// Whether every figure keeps its limit.
    pub fn kept(&self) -> bool {
        self.figures.iter().all(|figure| figure.kept)
    }
}

/// A line for each figure: what, found, wanted, verdict.
pub fn table(tried: &[Tried]) -> String {
    let mut text = String::new();
    for Tried { situation, seconds, figures } in tried {
        let _ = writeln!(text, "{situation} ({seconds:.0} s)");
        let width =
            |part: fn(&Figure) -> &str| figures.iter().map(|each| part(each).chars().count()).max().unwrap_or(0);
        let [what, found] = [width(|each| &each.what), width(|each| &each.found).min(60)];
        for figure in figures {
            let verdict = if figure.wanted.is_empty() { "" } else { ["BROKEN", "kept"][usize::from(figure.kept)] };
            let Figure { what: name, found: value, wanted, .. } = figure;
            let line = format!("  {name:what$}  {value:found$}  {verdict:6}  {wanted}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text
}

/// An object for each situation.
pub fn json(tried: &[Tried]) -> Value {
    let figure = |figure: &Figure| {
        let Figure { what, found, value, wanted, kept } = figure;
        object!({ "what": what, "found": found, "value": value, "wanted": wanted, "kept": kept })
    };
    let situation = |each: &Tried| {
        let figures: Vec<_> = each.figures.iter().map(figure).collect();
        object!({ "situation": each.situation, "seconds": each.seconds, "kept": each.kept(), "figures": figures })
    };
    Value::Array(tried.iter().map(situation).collect())
}
