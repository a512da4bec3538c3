//! Warnings that would be the same in every round, and are said once for as long as they hold.

use std::collections::BTreeMap;

/// The last warning of each noun.
#[derive(Debug, Default)]
pub(crate) struct Said(BTreeMap<String, String>);

// === impl Said ===

impl Said {
    /// Says it, unless it was the last that was said of this noun. Gives whether it was said.
    pub(crate) fn warn(&mut self, of: &str, why: String) -> bool {
        if self.0.get(of) == Some(&why) {
            return false;
        }
        tracing::warn!("{why}");
        self.0.insert(of.to_owned(), why);
        true
    }

    /// What was said holds no longer.
    pub(crate) fn forget(&mut self, of: &str) {
        self.0.remove(of);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_is_said_once_and_again_once_it_has_not_held() {
        let mut said = Said::default();
        let warn = |said: &mut Said, why: &str| said.warn("node1", why.to_owned());
        assert!(warn(&mut said, "it is old") && !warn(&mut said, "it is old") && warn(&mut said, "it has no name"));
        said.forget("node1");
        assert!(warn(&mut said, "it has no name"));
    }
}
