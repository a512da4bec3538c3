//! The first of many names, in byte order, and how many there are.

use std::collections::BTreeSet;
use std::fmt;

use headwater_types::caps::LISTED_NAMES;

/// A number of names, and the first few of them.
#[derive(Debug, Default)]
pub(super) struct Names {
    count: u64,
    first: BTreeSet<String>,
}

// === impl Names ===

impl Names {
    pub(super) fn add(&mut self, name: &str) {
        self.count += 1;
        if self.first.len() < LISTED_NAMES || self.first.last().is_some_and(|last| name < last.as_str()) {
            self.first.insert(name.to_owned());
            if self.first.len() > LISTED_NAMES {
                self.first.pop_last();
            }
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }
}

impl fmt::Display for Names {
    /// `"a", "b" and 3 more`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.first.iter().map(|name| format!("{name:?}")).collect();
        f.write_str(&names.join(", "))?;
        match self.count.saturating_sub(names.len() as u64) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
