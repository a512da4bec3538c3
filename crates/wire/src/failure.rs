//! Per-sample failures on the wire.

use headwater_types::{FailureKind, SampleFailure};

use crate::proto::{SampleFailureKind as Wire, SampleStatus};

/// The longest message that is sent or believed, in bytes.
const MAX_MESSAGE_BYTES: usize = 1024;

/// A kind of failure, as it travels.
pub(crate) fn kind_to(kind: FailureKind) -> Wire {
    match kind {
        FailureKind::OutOfRange => Wire::OutOfRange,
        FailureKind::NotFound => Wire::NotFound,
        FailureKind::Changed => Wire::Changed,
        FailureKind::Forbidden => Wire::Forbidden,
        FailureKind::Io => Wire::Io,
        FailureKind::Unreadable => Wire::Unreadable,
        FailureKind::UnsupportedFormat => Wire::UnsupportedFormat,
        FailureKind::Malformed => Wire::Malformed,
        FailureKind::LimitExceeded => Wire::LimitExceeded,
        FailureKind::Inference => Wire::Inference,
        FailureKind::NotFinite => Wire::NotFinite,
        FailureKind::Unavailable => Wire::Unavailable,
        FailureKind::Checksum => Wire::Checksum,
        FailureKind::Internal => Wire::Internal,
    }
}

/// A kind of failure that came. One that is not known is a fault of a program.
pub(crate) fn kind_from(kind: Wire) -> FailureKind {
    match kind {
        Wire::OutOfRange => FailureKind::OutOfRange,
        Wire::NotFound => FailureKind::NotFound,
        Wire::Changed => FailureKind::Changed,
        Wire::Forbidden => FailureKind::Forbidden,
        Wire::Io => FailureKind::Io,
        Wire::Unreadable => FailureKind::Unreadable,
        Wire::UnsupportedFormat => FailureKind::UnsupportedFormat,
        Wire::Malformed => FailureKind::Malformed,
        Wire::LimitExceeded => FailureKind::LimitExceeded,
        Wire::Inference => FailureKind::Inference,
        Wire::NotFinite => FailureKind::NotFinite,
        Wire::Unavailable => FailureKind::Unavailable,
        Wire::Checksum => FailureKind::Checksum,
        Wire::Internal | Wire::Unspecified => FailureKind::Internal,
    }
}

impl From<&SampleFailure> for SampleStatus {
    fn from(failure: &SampleFailure) -> Self {
        Self { kind: kind_to(failure.kind).into(), message: clipped(&failure.message) }
    }
}

impl From<SampleStatus> for SampleFailure {
    fn from(status: SampleStatus) -> Self {
        Self::new(kind_from(status.kind()), clipped(&status.message))
    }
}

fn clipped(message: &str) -> String {
    message[..message.floor_char_boundary(MAX_MESSAGE_BYTES)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_survives_the_wire() {
        for kind in FailureKind::ALL {
            let failure = SampleFailure::new(kind, "a\u{e9}b");
            assert_eq!(SampleFailure::from(SampleStatus::from(&failure)), failure);
        }
        let long = SampleFailure::new(FailureKind::Io, "\u{e9}".repeat(4000));
        assert!(SampleStatus::from(&long).message.len() <= MAX_MESSAGE_BYTES);
    }
}
