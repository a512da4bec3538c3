//! Why a delta is refused.

use headwater_types::{ByteCount, Digest};

/// Why a delta is not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeltaError {
    /// The bytes are not a delta.
    #[error("the file is not a delta of a model")]
    NotADelta,
    /// The delta is of a version that is not known here.
    #[error("the delta is of version {actual}, and only version {known} is known: update this program")]
    Version {
        /// The delta's version.
        actual: u32,
        /// The version that is known.
        known: u32,
    },
    /// The delta, or the model that it makes, is larger than allowed.
    #[error("the delta's {what} has {actual}, more than the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size, or the size that it claims.
        actual: ByteCount,
        /// The limit.
        limit: ByteCount,
    },
    /// The delta has more parts than allowed.
    #[error("the delta has {actual} parts, more than the limit of {limit}")]
    TooManyParts {
        /// The number of parts that it claims.
        actual: u64,
        /// The limit.
        limit: usize,
    },
    /// The delta ends too early.
    #[error("the delta ends after {actual} of {declared}: fetch the rest")]
    Truncated {
        /// The bytes that are there.
        actual: ByteCount,
        /// The bytes that it should have.
        declared: ByteCount,
    },
    /// The delta goes on after its end.
    #[error("the delta has {actual}, and ends after {declared}")]
    Overlong {
        /// The bytes that are there.
        actual: ByteCount,
        /// The bytes that it should have.
        declared: ByteCount,
    },
    /// Some bytes are not those that were written.
    #[error("the delta's bytes are not those that were written: fetch it again")]
    Tampered,
    /// The delta belongs to another model: one that is older or newer, or something else.
    #[error("the delta is for the model {}, and this is {}: fetch the delta of this model, or the whole one",
        expected.short(), actual.short())]
    WrongBase {
        /// BLAKE3 of the model that the delta is for.
        expected: Digest,
        /// BLAKE3 of the model that was given.
        actual: Digest,
    },
    /// The delta's structure contradicts itself. No encoder wrote it.
    #[error("the delta is malformed: {0}")]
    Malformed(&'static str),
    /// The delta made another model than it promised.
    #[error("the delta makes the model {} where it promised {}", actual.short(), expected.short())]
    WrongResult {
        /// BLAKE3 of the promised model.
        expected: Digest,
        /// BLAKE3 of what was made, which nobody gets.
        actual: Digest,
    },
}
