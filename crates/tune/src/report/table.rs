//! A table of names and values.

use std::fmt::{self, Display};

/// Lines of `name  value`, the values in one column.
#[derive(Default)]
pub(crate) struct Table {
    lines: Vec<(&'static str, String)>,
}

// === impl Table ===

impl Table {
    pub(crate) fn line(&mut self, name: &'static str, value: impl Display) -> &mut Self {
        self.lines.push((name, value.to_string()));
        self
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (number, (name, value)) in self.lines.iter().enumerate() {
            let end = if number == 0 { "" } else { "\n" };
            write!(f, "{end}{name:width$}  {value}")?;
        }
        Ok(())
    }
}

/// A share of 1 as `93.4 %`, or a dash where there is none.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}
