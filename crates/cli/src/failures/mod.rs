//! Samples that failed: counted by kind, with the first keys of each, and how many of them are too many.

mod most;

use std::collections::BTreeMap;
use std::fmt;

use headwater_types::{FailureKind, SampleIndex, key};
use serde::ser::SerializeSeq as _;
use serde::{Serialize, Serializer};

pub use most::{FailureArgs, MaxFailures};

/// Failures of some samples, by kind. Which keys are named does not depend on the order in which they were added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    kinds: BTreeMap<FailureKind, OfKind>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct OfKind {
    count: u64,
    /// The keys of the samples with the lowest indices.
    first: BTreeMap<SampleIndex, String>,
}

/// The number of keys that are named of each kind.
const NAMED: usize = 5;

/// More samples failed than may. What was made of the others is kept.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "{failed} of {samples} samples failed, and --max-failures {most} allows fewer: {kinds}; what was made is kept: \
     {fix}"
)]
pub struct TooManyFailures {
    failed: u64,
    samples: u64,
    most: MaxFailures,
    kinds: String,
    fix: &'static str,
}

// === impl Failures ===

impl Failures {
    /// Adds the failure of one sample.
    pub fn add(&mut self, kind: FailureKind, index: SampleIndex, key: Option<&str>) {
        let kind = self.kinds.entry(kind).or_default();
        kind.count += 1;
        kind.name(index, || key.map_or_else(|| format!("sample {index}"), str::to_owned));
    }

    /// Adds so many failures that were counted elsewhere, where the first of them were named.
    pub fn add_counted<'k>(&mut self, kind: FailureKind, count: u64, first: impl Iterator<Item = &'k str>) {
        let kind = self.kinds.entry(kind).or_default();
        let before = kind.count;
        kind.count = before.saturating_add(count);
        for (at, key) in (before..).zip(first) {
            kind.name(SampleIndex(at), || key.to_owned());
        }
    }

    /// Adds the failures of other samples.
    pub fn merge(&mut self, other: &Self) {
        for (kind, theirs) in &other.kinds {
            let ours = self.kinds.entry(*kind).or_default();
            ours.count += theirs.count;
            theirs.first.iter().for_each(|(index, key)| ours.name(*index, || key.clone()));
        }
    }

    /// The number of failures.
    pub fn count(&self) -> u64 {
        self.kinds.values().map(|kind| kind.count).sum()
    }

    /// The number of failures of each kind.
    pub fn by_kind(&self) -> impl Iterator<Item = (FailureKind, u64)> + '_ {
        self.kinds.iter().map(|(kind, of)| (*kind, of.count))
    }

    /// Logs the failures, a line for each kind, and refuses more of them than may be among so many samples.
    ///
    /// # Errors
    /// There are more failures than `most` allows.
    pub fn check(&self, samples: u64, most: MaxFailures) -> Result<(), TooManyFailures> {
        for (kind, of) in &self.kinds {
            tracing::warn!(%kind, failed = of.count, of = samples, keys = %of.names(), "samples failed");
        }
        match most.allows(self.count(), samples) {
            true => Ok(()),
            false => Err(self.too_many(samples, most)),
        }
    }

    fn too_many(&self, samples: u64, most: MaxFailures) -> TooManyFailures {
        let words = self.kinds.iter().map(|(kind, of)| format!("{} {kind} ({})", of.count, of.names()));
        let fix = match self.kinds.keys().all(|kind| kind.is_retryable()) {
            true => "these failures may have passed, so run it again, or raise --max-failures",
            false => "see to these samples, or raise --max-failures",
        };
        TooManyFailures { failed: self.count(), samples, most, kinds: words.collect::<Vec<_>>().join(", "), fix }
    }
}

/// `3 malformed, 1 not-found`.
impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kinds.is_empty() {
            return f.write_str("none");
        }
        for (number, (kind, of)) in self.kinds.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{} {kind}", of.count)?;
        }
        Ok(())
    }
}

/// `[{"kind": "malformed", "count": 9, "keys": ["a.jpg", ...]}, ...]`
impl Serialize for Failures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Entry<'a> {
            kind: &'static str,
            count: u64,
            keys: Vec<&'a str>,
        }
        let mut list = serializer.serialize_seq(Some(self.kinds.len()))?;
        for (kind, of) in &self.kinds {
            let keys = of.first.values().map(String::as_str).collect();
            list.serialize_element(&Entry { kind: kind.as_str(), count: of.count, keys })?;
        }
        list.end()
    }
}

// === impl OfKind ===

impl OfKind {
    fn name(&mut self, index: SampleIndex, key: impl FnOnce() -> String) {
        if self.first.len() < NAMED || self.first.last_key_value().is_some_and(|(last, _)| index < *last) {
            self.first.insert(index, key());
        }
        while self.first.len() > NAMED {
            self.first.pop_last();
        }
    }

    /// `a.jpg, b.jpg and 7 more`.
    fn names(&self) -> String {
        let more = self.count - self.first.len() as u64;
        let names = self.first.values().map(|key| key::shown(key)).collect::<Vec<_>>().join(", ");
        if more == 0 { names } else { format!("{names} and {more} more") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(order: impl IntoIterator<Item = u64>) -> Failures {
        let mut failures = Failures::default();
        for index in order {
            let kind = if index.is_multiple_of(4) { FailureKind::Io } else { FailureKind::Malformed };
            failures.add(kind, SampleIndex(index), (index != 1).then(|| format!("{index}.jpg")).as_deref());
        }
        failures
    }

    #[test]
    fn the_first_keys_are_named_whatever_the_order() {
        let (mut one, two) = (failures((0..4).rev()), failures(4..20));
        one.merge(&two);
        assert_eq!(one, failures((0..20).rev()));
        let keys = ["sample 1", "2.jpg", "3.jpg", "5.jpg", "6.jpg"];
        let said = serde_json::to_value(&one).unwrap();
        assert_eq!(said[1], serde_json::json!({ "kind": "malformed", "count": 15, "keys": keys }));
        assert_eq!((one.to_string().as_str(), one.count()), ("5 io, 15 malformed", 20));
        assert_eq!(Failures::default().to_string(), "none");
    }

    #[test]
    fn too_many_are_an_error_that_names_the_setting_the_keys_and_the_fix() {
        let some = failures([1, 2, 3, 4]);
        for (most, fine) in [("4", true), ("3", false), ("10%", true), ("9.9%", false), ("100%", true), ("0", false)] {
            let most: MaxFailures = most.parse().unwrap();
            assert_eq!(some.check(40, most).is_ok(), fine, "{most}");
        }
        let error = some.check(40, "9%".parse().unwrap()).unwrap_err().to_string();
        for words in ["4 of 40 samples", "--max-failures 9%", "3 malformed (sample 1, 2.jpg, 3.jpg)", "1 io", "raise"] {
            assert!(error.contains(words), "{words} in {error}");
        }
        let passing = failures([4]).check(4, MaxFailures::default()).unwrap_err().to_string();
        assert!(passing.contains("run it again"), "{passing}");
        for bad in ["", "-1", "x", "101%", "-1%", "NaN%", "%", "1.5"] {
            assert!(bad.parse::<MaxFailures>().is_err(), "{bad}");
        }
        assert_eq!(MaxFailures::default().to_string(), "10%");
    }
}
