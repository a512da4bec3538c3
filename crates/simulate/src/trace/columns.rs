//! The header of a trace.

use super::error::{TraceError, TraceFault};
use super::lines::{Line, shown};

/// A column of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Epoch,
    Key,
    Bytes,
    Cost,
    Loss,
    Flag,
    FullAccess,
    Job,
}

// === impl Column ===

impl Column {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "epoch" => Self::Epoch,
            "sample" | "key" => Self::Key,
            "bytes" | "size" => Self::Bytes,
            "cost" => Self::Cost,
            "loss" => Self::Loss,
            "flag" => Self::Flag,
            "full_access" => Self::FullAccess,
            "job" => Self::Job,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Epoch => "epoch",
            Self::Key => "sample",
            Self::Bytes => "bytes",
            Self::Cost => "cost",
            Self::Loss => "loss",
            Self::Flag => "flag",
            Self::FullAccess => "full_access",
            Self::Job => "job",
        }
    }

    /// The columns that a header names, which `#` may start. Names are separated by tabs or spaces.
    pub(super) fn of_header(header: &Line<'_>) -> Result<Vec<Self>, TraceError> {
        let mut columns = Vec::new();
        let names = header.text.strip_prefix('#').unwrap_or(header.text).split([' ', '\t']);
        for name in names.filter(|name| !name.is_empty()) {
            let Some(column) = Self::named(name) else {
                return Err(header.error(name, TraceFault::UnknownColumn(shown(name))));
            };
            if columns.contains(&column) {
                return Err(header.error(name, TraceFault::DuplicateColumn(column.name())));
            }
            columns.push(column);
        }
        match columns.contains(&Self::Key) {
            true => Ok(columns),
            false => Err(header.error("", TraceFault::NoKeys)),
        }
    }
}
