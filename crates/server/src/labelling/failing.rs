//! Samples of a labelling that failed, by kind.

use std::collections::BTreeMap;

use headwater_types::{FailureKind, SampleKey};
use headwater_wire::labels::FailuresOfKind;

/// Failures so far.
#[derive(Default)]
pub(crate) struct Failing(BTreeMap<FailureKind, (u64, Vec<String>)>);

/// Keys that are named of each kind.
const NAMED: usize = 5;

/// What becomes of a sample that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is another by now, or gone: it is no failure, and the next generation says what it is.
    Changed,
    /// It is tried again by the next labelling.
    Passing,
    /// It is noted, so that nobody opens the photo again for this labeller.
    Lasting,
}

/// What a failure of this kind means for a sample.
pub(super) fn verdict(kind: FailureKind) -> Verdict {
    match kind {
        FailureKind::OutOfRange | FailureKind::NotFound | FailureKind::Changed => Verdict::Changed,
        // A fault of the program may be mended by the next version of it.
        FailureKind::Io | FailureKind::Unavailable | FailureKind::Checksum | FailureKind::Internal => Verdict::Passing,
        FailureKind::Forbidden
        | FailureKind::Unreadable
        | FailureKind::UnsupportedFormat
        | FailureKind::Malformed
        | FailureKind::LimitExceeded
        | FailureKind::Inference
        | FailureKind::NotFinite => Verdict::Lasting,
    }
}

// === impl Failing ===

impl Failing {
    /// Adds the failure of a sample.
    pub(crate) fn add(&mut self, kind: FailureKind, key: &SampleKey) {
        let (count, named) = self.0.entry(kind).or_default();
        *count += 1;
        if named.len() < NAMED {
            named.push(key.as_str().to_owned());
        }
    }

    /// The failures, as they are told.
    pub(crate) fn told(&self) -> Vec<FailuresOfKind> {
        let told = |(kind, (count, keys)): (&FailureKind, &(u64, Vec<String>))| FailuresOfKind {
            kind: *kind,
            count: *count,
            first_keys: keys.clone(),
        };
        self.0.iter().map(told).collect()
    }
}
