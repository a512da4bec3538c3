//! What one model said of one photo.

use headwater_types::FailureKind;
use headwater_types::caps::{MAX_KEY_BYTES, MAX_LABEL_CLASSES, MAX_TOP_K};

pub use headwater_types::Scored;

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

// === impl Row ===

impl Row<'_> {
    /// Whether the row can be kept, or why not.
    pub(crate) fn check(&self) -> Result<(), RowFault> {
        let actual = self.key.len();
        if !(1..=MAX_KEY_BYTES).contains(&actual) {
            return Err(RowFault::Key { actual, most: MAX_KEY_BYTES });
        }
        match self.outcome {
            Outcome::Labels(labels) => check_labels(labels),
            Outcome::Failed(_) => Ok(()),
        }
    }
}

fn check_labels(labels: &[Scored]) -> Result<(), RowFault> {
    match labels.len() {
        0 => return Err(RowFault::NoLabel),
        actual if actual > MAX_TOP_K => return Err(RowFault::TooManyLabels { actual, most: MAX_TOP_K }),
        _ => {}
    }
    labels.iter().try_for_each(check_scored)
}

fn check_scored(scored: &Scored) -> Result<(), RowFault> {
    let class = scored.class.0;
    if class as usize >= MAX_LABEL_CLASSES {
        return Err(RowFault::Class { class, limit: MAX_LABEL_CLASSES as u32 });
    }
    scored.score.is_finite().then_some(()).ok_or(RowFault::NotFinite { class })
}

#[cfg(test)]
mod tests {
    use headwater_types::ClassId;

    use super::*;

    fn check(key: &str, labels: &[(u32, f32)]) -> Result<(), RowFault> {
        let labels: Vec<_> =
            labels.iter().map(|(class, score)| Scored { class: ClassId(*class), score: *score }).collect();
        Row { key, version: [0; 16], outcome: Outcome::Labels(&labels) }.check()
    }

    #[test]
    fn a_row_that_cannot_be_kept_says_why() {
        assert_eq!(check("cat/1.jpg", &[(1, 0.9), (0, -3.0)]), Ok(()));
        assert_eq!(check("", &[(1, 0.9)]), Err(RowFault::Key { actual: 0, most: 1024 }));
        assert_eq!(check(&"x".repeat(1025), &[(1, 0.9)]), Err(RowFault::Key { actual: 1025, most: 1024 }));
        assert_eq!(check("a", &[]), Err(RowFault::NoLabel));
        assert_eq!(check("a", &[(0, 0.1); 65]), Err(RowFault::TooManyLabels { actual: 65, most: 64 }));
        assert_eq!(check("a", &[(1 << 18, 0.1)]), Err(RowFault::Class { class: 1 << 18, limit: 1 << 18 }));
        for score in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(check("a", &[(0, 0.1), (7, score)]), Err(RowFault::NotFinite { class: 7 }));
        }
    }
}
