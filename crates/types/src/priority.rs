//! Which work goes first where memory or CPU workers are short.

use std::fmt;
use std::str::FromStr;

/// How much a job's work counts beside the work of others. The first counts most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Work for which much else waits.
    High,
    /// What a trainer reads.
    #[default]
    Normal,
    /// Work for which nobody waits from one moment to the next, as extracting features is.
    Low,
    /// What a server does ahead of need, and for no client: indexing, labelling. Calls cannot ask for it.
    Background,
}

/// Text that names no priority that a call may have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no priority {0:?}: use high, normal or low")]
pub struct PriorityError(String);

// === impl Priority ===

impl Priority {
    /// Those that a call may have.
    pub const OF_CALLS: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    /// How many priorities there are.
    pub const COUNT: usize = 4;

    /// The part of what is short that all work of this priority gets together, against the parts of the others that
    /// want some: eight times that of the next lower one. A low one is slow then, and never starves.
    pub fn weight(self) -> u32 {
        match self {
            Self::High => 64,
            Self::Normal => 8,
            Self::Low | Self::Background => 1,
        }
    }

    /// Its name, as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
            Self::Background => "background",
        }
    }
}

impl FromStr for Priority {
    type Err = PriorityError;

    fn from_str(text: &str) -> Result<Self, PriorityError> {
        let named = Self::OF_CALLS.into_iter().find(|priority| priority.name() == text);
        named.ok_or_else(|| PriorityError(text.chars().take(64).collect()))
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_any_priority_but_that_of_the_background() {
        for priority in Priority::OF_CALLS {
            assert_eq!(priority.to_string().parse(), Ok(priority));
        }
        for bad in ["", "Normal", "background", "9"] {
            assert!(bad.parse::<Priority>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_goes_before_weighs_at_least_as_much() {
        let all = [Priority::High, Priority::Normal, Priority::Low, Priority::Background];
        assert_eq!(all.len(), Priority::COUNT);
        assert!(all.is_sorted() && all.is_sorted_by_key(|priority| std::cmp::Reverse(priority.weight())));
    }
}
