//! Why a message of spans was not taken.

use std::error::Error;
use std::fmt;

use tonic::{Code, Status};

/// Why a message of spans was not taken.
#[derive(Debug)]
pub(super) struct Fault {
    /// Whether another try may help.
    pub(super) is_passing: bool,
    words: String,
}

/// Most bytes of what a collector says.
const MOST: usize = 300;

// === impl Fault ===

impl Fault {
    pub(super) fn passing(words: impl Into<String>) -> Self {
        Self { is_passing: true, words: words.into() }
    }

    pub(super) fn lasting(words: impl Into<String>) -> Self {
        Self { is_passing: false, words: words.into() }
    }

    /// The innermost cause, which says what happened.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        let mut innermost = error;
        while let Some(cause) = innermost.source() {
            innermost = cause;
        }
        Self::passing(innermost.to_string())
    }

    /// Which statuses pass is the specification's.
    pub(super) fn of_status(status: &Status) -> Self {
        let is_passing = matches!(
            status.code(),
            Code::Cancelled
                | Code::DeadlineExceeded
                | Code::ResourceExhausted
                | Code::Aborted
                | Code::OutOfRange
                | Code::Unavailable
                | Code::DataLoss
        );
        let words = match status.source() {
            Some(source) => Self::of(source).words,
            None => format!("{:?}: {}", status.code(), status.message()),
        };
        Self { is_passing, words }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.words.floor_char_boundary(MOST);
        f.write_str(&self.words[..end])
    }
}
