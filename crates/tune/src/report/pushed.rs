//! A summary of a head that may be pushed, and label.

use std::path::Path;

use super::push::PushSummary;
use super::relabel::RelabelSummary;

/// A summary of a head that may be pushed.
pub(crate) trait Pushed: Sized {
    /// Where the head is, if it could be kept.
    fn head(&self) -> Option<&Path>;

    /// The head was pushed so.
    fn with_push(self, push: PushSummary) -> Self;

    /// The head has labelled so.
    fn with_relabel(self, relabel: Option<RelabelSummary>) -> Self;
}
