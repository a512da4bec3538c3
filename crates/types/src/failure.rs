//! Why one sample could not be delivered. A failure is a value beside the other samples, never the end of a batch.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use crate::format::Format;

/// What went wrong with a sample, as a counter's label and on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// No such index in the catalog.
    OutOfRange,
    /// The object is gone since it was listed.
    NotFound,
    /// The object is another than the one that was listed (size, time or ETag).
    Changed,
    /// Reading it would have left the dataset's root, or the server's user may not read it.
    Forbidden,
    /// The store could not be read just now.
    Io,
    /// The store gives its other objects, and not this one, however often it is asked.
    Unreadable,
    /// The content is of no format that is decoded here.
    UnsupportedFormat,
    /// The content is broken.
    Malformed,
    /// A limit on size, dimensions, scans or memory would have been passed.
    LimitExceeded,
    /// The model could not be run on it.
    Inference,
    /// The model gave features for it that are not finite.
    NotFinite,
    /// The server is too busy or is stopping.
    Unavailable,
    /// What arrived is not what was sent.
    Checksum,
    /// A fault of the program: please report it.
    Internal,
}

/// A sample that could not be delivered: what went wrong, in a form for programs and in words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SampleFailure {
    /// For programs.
    pub kind: FailureKind,
    /// For people: lower case, names the sample's limit or setting where there is one.
    pub message: String,
}

// === impl FailureKind ===

impl FailureKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::OutOfRange,
        Self::NotFound,
        Self::Changed,
        Self::Forbidden,
        Self::Io,
        Self::Unreadable,
        Self::UnsupportedFormat,
        Self::Malformed,
        Self::LimitExceeded,
        Self::Inference,
        Self::NotFinite,
        Self::Unavailable,
        Self::Checksum,
        Self::Internal,
    ];

    /// Whether asking again can help.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Io | Self::Unavailable | Self::Checksum)
    }

    /// What has happened, in a sentence for documentation; a [`SampleFailure`]'s message has the particulars.
    pub fn meaning(self) -> &'static str {
        static UNSUPPORTED_FORMAT: LazyLock<String> =
            LazyLock::new(|| format!("The content is of no format that is decoded: {} are.", Format::listed("and")));
        match self {
            Self::OutOfRange => "The dataset has no sample of this index.",
            Self::NotFound => "The file is gone since the dataset was listed.",
            Self::Changed => "The file is another than the one that was listed: its size, time or ETag differ.",
            Self::Forbidden => {
                "Reading the file would have left the dataset's folder, through a link or a `..`, or is not permitted."
            }
            Self::Io => "The disk or the object store did not answer as it should.",
            Self::Unreadable => {
                "The object store gives its other objects, and not this one, however often it is asked."
            }
            Self::UnsupportedFormat => &UNSUPPORTED_FORMAT,
            Self::Malformed => "The content begins as a photo, and is broken.",
            Self::LimitExceeded => "A limit on bytes, pixels, scans or memory would have been passed.",
            Self::Inference => "The model could not be run on the sample.",
            Self::NotFinite => "The model gave NaN or an infinity among the sample's features.",
            Self::Unavailable => "The server is too busy, or is stopping.",
            Self::Checksum => "What arrived is not what was sent.",
            Self::Internal => "A fault of the program.",
        }
    }

    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::OutOfRange => "Ask for indices below the dataset's number of samples.",
            Self::NotFound | Self::Changed => {
                "Leave the files of a served dataset as they are; after a change, restart the server, \
                 which lists them anew."
            }
            Self::Forbidden => "Put the file itself into the folder, where the server's user may read it.",
            Self::Io => {
                "It is asked for again a few times. If that does not help, look at the store's disk or service."
            }
            Self::Unreadable => {
                "The server has asked for it for most of a minute: the message says what the store \
                 answered. Look at that object there."
            }
            Self::UnsupportedFormat => "Convert the file, or take it out of the dataset.",
            Self::Malformed => "Replace the file, or take it out of the dataset.",
            Self::LimitExceeded => {
                "The message names the limit, and the side that has it, server or client: raise it there, \
                 if the file is to be trusted."
            }
            Self::Inference => {
                "The message says what ONNX Runtime said: check that the recipe makes what the model takes."
            }
            Self::NotFinite => {
                "See to the model, or to the photo; `--allow-non-finite` (Python: `allow_non_finite=True`) \
                 takes such features as they are."
            }
            Self::Unavailable => {
                "It is asked for again a few times. If that does not help, start the server, or add one."
            }
            Self::Checksum => {
                "It is asked for again a few times. If that does not help, the network or a memory is broken."
            }
            Self::Internal => "Please report it, with the message.",
        }
    }

    /// The kind's name in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OutOfRange => "out-of-range",
            Self::NotFound => "not-found",
            Self::Changed => "changed",
            Self::Forbidden => "forbidden",
            Self::Io => "io",
            Self::Unreadable => "unreadable",
            Self::UnsupportedFormat => "unsupported-format",
            Self::Malformed => "malformed",
            Self::LimitExceeded => "limit-exceeded",
            Self::Inference => "inference",
            Self::NotFinite => "not-finite",
            Self::Unavailable => "unavailable",
            Self::Checksum => "checksum",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for FailureKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| format!("no failure kind {name:?}"))
    }
}

// === impl SampleFailure ===

impl SampleFailure {
    /// A failure of this kind, in these words.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// Whether asking again can help.
    pub fn is_retryable(&self) -> bool {
        self.kind.is_retryable()
    }
}

/// Checks that features are finite.
///
/// # Errors
/// `NotFinite`, with how many of them are not.
pub fn check_finite(features: &[f32]) -> Result<(), SampleFailure> {
    let others = features.iter().filter(|value| !value.is_finite()).count();
    match others {
        0 => Ok(()),
        _ => {
            let message = format!(
                "{others} of its {} features are not finite: see to the model, or insist on them with \
                 --allow-non-finite",
                features.len()
            );
            Err(SampleFailure::new(FailureKind::NotFinite, message))
        }
    }
}

/// Checks that the scores of a sample's classes are finite.
///
/// # Errors
/// `NotFinite`, with how many of them are not.
pub fn check_scores(scores: &[f32]) -> Result<(), SampleFailure> {
    match scores.iter().filter(|value| !value.is_finite()).count() {
        0 => Ok(()),
        others => {
            let message = format!("{others} of its {} scores are not finite: see to the head or model", scores.len());
            Err(SampleFailure::new(FailureKind::NotFinite, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_finite_or_a_failure_that_says_how_many_are_not() {
        assert_eq!(check_finite(&[0.0, -1.0, f32::MAX, f32::MIN_POSITIVE / 2.0]), Ok(()));
        let failure = check_finite(&[1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY]).unwrap_err();
        assert_eq!(failure.kind, FailureKind::NotFinite);
        assert!(failure.message.starts_with("3 of its 4 features are not finite"), "{failure}");
        assert_eq!(check_scores(&[0.25, 0.75]), Ok(()));
        let failure = check_scores(&[0.25, f32::NAN]).unwrap_err();
        assert!(failure.message.starts_with("1 of its 2 scores are not finite"), "{failure}");
        assert!(!failure.is_retryable());
    }
}
