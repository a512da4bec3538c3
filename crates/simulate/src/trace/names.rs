//! Numbers for names, in the order in which they come.

use std::collections::HashMap;

/// Names of samples or jobs.
#[derive(Default)]
pub(super) struct Names<'a> {
    numbers: HashMap<&'a str, u32>,
    names: Vec<&'a str>,
}

// === impl Names ===

impl<'a> Names<'a> {
    /// The number of a name. `None`: it would be one more than there may be.
    pub(super) fn number(&mut self, name: &'a str, most: u32) -> Option<u32> {
        if let Some(number) = self.numbers.get(name) {
            return Some(*number);
        }
        let number = u32::try_from(self.names.len()).ok().filter(|&number| number < most)?;
        self.numbers.insert(name, number);
        self.names.push(name);
        Some(number)
    }

    pub(super) fn finish(self) -> Vec<Box<str>> {
        self.names.into_iter().map(Box::from).collect()
    }
}
