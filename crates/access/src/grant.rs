//! What a client may do.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use headwater_types::DatasetName;

/// What a call needs, each with what stands before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reading: samples, features, labels, what there is.
    Read,
    /// Writing: photos that are ingested, models that are pushed, labels and trainings that are begun.
    Write,
    /// What is for who runs the server: listing anew.
    Admin,
}

/// What somebody may do, and with which datasets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whose it is, for the log.
    pub name: String,
    /// The most that is allowed.
    pub role: Role,
    /// The datasets; `None`: all.
    pub datasets: Option<BTreeSet<DatasetName>>,
}

// === impl Role ===

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// Its name in files and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| "a role is read, write or admin".to_owned())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Grant ===

impl Grant {
    /// Whether it covers calls that need this role.
    pub fn allows(&self, needed: Role) -> bool {
        self.role >= needed
    }

    /// Whether it covers this dataset.
    pub fn covers(&self, dataset: &str) -> bool {
        self.datasets.as_ref().is_none_or(|datasets| datasets.iter().any(|name| name.as_str() == dataset))
    }
}
