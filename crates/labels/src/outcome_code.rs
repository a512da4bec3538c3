//! The byte that stands for what came of a photo.

use headwater_types::FailureKind;

/// There are labels.
pub(crate) const LABELLED: u8 = 0;

/// The byte of a failure. A number is never given to another kind.
pub(crate) const fn of_failure(kind: FailureKind) -> u8 {
    match kind {
        FailureKind::OutOfRange => 1,
        FailureKind::NotFound => 2,
        FailureKind::Changed => 3,
        FailureKind::Forbidden => 4,
        FailureKind::Io => 5,
        FailureKind::Unreadable => 6,
        FailureKind::UnsupportedFormat => 7,
        FailureKind::Malformed => 8,
        FailureKind::LimitExceeded => 9,
        FailureKind::Inference => 10,
        FailureKind::NotFinite => 11,
        FailureKind::Unavailable => 12,
        FailureKind::Checksum => 13,
        FailureKind::Internal => 14,
    }
}

/// The failure of a byte.
pub(crate) fn failure(code: u8) -> Option<FailureKind> {
    FailureKind::ALL.into_iter().find(|kind| of_failure(*kind) == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_a_byte_of_its_own() {
        for kind in FailureKind::ALL {
            assert_eq!(failure(of_failure(kind)), Some(kind));
        }
        assert_eq!([failure(LABELLED), failure(15), failure(255)], [None; 3]);
    }
}
