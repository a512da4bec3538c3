//! What one model said of one photo.

use headwater_types::{FailureKind, Scored};

/// What came of showing a photo to a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome<'a> {
    /// At least one class, the best first.
    Labels(&'a [Scored]),
    /// Why there is none.
    Failed(FailureKind),
}

/// One photo, as it was when the model saw it, and what the model said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row<'a> {
    /// The sample's key.
    pub key: &'a str,
    /// The version of the sample's bytes.
    pub version: [u8; 16],
    /// What came of it.
    pub outcome: Outcome<'a>,
}

/// Why a row is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// A score that is NaN or infinite.
    #[error("its score of class {class} is not finite")]
    NotFinite {
        /// The class.
        class: u32,
    },
    /// Labels without a label.
    #[error("it has no label")]
    NoLabel,
    /// More labels than a row has room for.
    #[error("it has {actual} labels, of {most}")]
    TooManyLabels {
        /// The labels that it has.
        actual: usize,
        /// The most that are kept.
        most: usize,
    },
    /// A class beyond those that are counted.
    #[error("its class {class} is not below {limit}")]
    Class {
        /// The class.
        class: u32,
        /// The least class that is too large.
        limit: u32,
    },
    /// A key that is empty or too long.
    #[error("its key has {actual} bytes, and not 1 to {most}")]
    Key {
        /// The bytes that it has.
        actual: usize,
        /// The most that it may have.
        most: usize,
    },
}
