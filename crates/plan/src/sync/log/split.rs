//! How samples are dealt to workers.

use serde::{Deserialize, Serialize};

/// How samples are dealt to workers, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SplitName {
    /// Each server trains on what it holds.
    Held,
    /// Dealt anew, evenly.
    Iid,
    /// Dealt anew, each class to few.
    ByClass,
}

// === impl SplitName ===

impl SplitName {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Iid => "iid",
            Self::ByClass => "by-class",
        }
    }
}
