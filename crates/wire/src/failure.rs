//! Per-sample failures on the wire.

use headwater_types::{FailureKind, SampleFailure};

use crate::proto::{SampleFailureKind as Wire, SampleStatus};

/// The longest message that is sent or believed, in bytes.
const MAX_MESSAGE_BYTES: usize = 1024;

impl From<&SampleFailure> for SampleStatus {
    fn from(failure: &SampleFailure) -> Self {
        let kind = match failure.kind {
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
        };
        Self { kind: kind as i32, message: clipped(&failure.message) }
    }
}

impl From<SampleStatus> for SampleFailure {
    fn from(status: SampleStatus) -> Self {
        let kind = match Wire::try_from(status.kind) {
            Ok(Wire::OutOfRange) => FailureKind::OutOfRange,
            Ok(Wire::NotFound) => FailureKind::NotFound,
            Ok(Wire::Changed) => FailureKind::Changed,
            Ok(Wire::Forbidden) => FailureKind::Forbidden,
            Ok(Wire::Io) => FailureKind::Io,
            Ok(Wire::Unreadable) => FailureKind::Unreadable,
            Ok(Wire::UnsupportedFormat) => FailureKind::UnsupportedFormat,
            Ok(Wire::Malformed) => FailureKind::Malformed,
            Ok(Wire::LimitExceeded) => FailureKind::LimitExceeded,
            Ok(Wire::Inference) => FailureKind::Inference,
            Ok(Wire::NotFinite) => FailureKind::NotFinite,
            Ok(Wire::Unavailable) => FailureKind::Unavailable,
            Ok(Wire::Checksum) => FailureKind::Checksum,
            Ok(Wire::Internal | Wire::Unspecified) | Err(_) => FailureKind::Internal,
        };
        Self::new(kind, clipped(&status.message))
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
