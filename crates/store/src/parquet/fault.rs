//! Why bytes are no Parquet that can be read here.

use headwater_types::{ByteCount, FailureKind, SampleFailure};

/// What is wrong with a part of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// The bytes end too early.
    #[error("{0} ends too early")]
    Short(&'static str),
    /// The bytes contradict themselves or the format.
    #[error("{0}")]
    Broken(&'static str),
    /// The bytes are right, and of a kind that is not read here.
    #[error("{0}")]
    Unsupported(String),
    /// A page says that it is larger than what was set aside for it.
    #[error("a page of it has {0} when unpacked, and --page-memory holds less: raise it, or write smaller row groups")]
    Larger(ByteCount),
}

// === impl Fault ===

impl Fault {
    /// The failure of a sample in such a part.
    pub(super) fn failure(&self) -> SampleFailure {
        let kind = match self {
            Self::Short(_) | Self::Broken(_) => FailureKind::Malformed,
            Self::Unsupported(_) => FailureKind::UnsupportedFormat,
            Self::Larger(_) => FailureKind::LimitExceeded,
        };
        SampleFailure::new(kind, format!("its Parquet file cannot be read here: {self}"))
    }
}
