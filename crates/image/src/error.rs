//! Why a photo could not be turned into what a recipe asks for.

use headwater_types::{Cut, FailureKind, Format, LimitSetting, SampleFailure};

/// A photo that could not be decoded, or a payload that does not fit its recipe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Content of a format that is not decoded here.
    #[error("content is {found}: {} are decoded here", Format::listed("and"))]
    UnsupportedFormat {
        /// What the content looks like.
        found: &'static str,
    },
    /// A kind of JPEG, PNG or WebP that is not decoded here.
    #[error("{format} with {feature} is not decoded here: store it as 8-bit baseline or progressive")]
    UnsupportedFeature {
        /// The format.
        format: Format,
        /// What it has that is not decoded.
        feature: String,
    },
    /// Broken content.
    #[error("broken {format}: {reason}")]
    Malformed {
        /// The format that it claims to be.
        format: Format,
        /// What is wrong with it.
        reason: String,
    },
    /// A limit would have been passed.
    #[error("{what} {actual} over the limit of {limit}: raise {}", setting.flag())]
    LimitExceeded {
        /// What is limited.
        what: &'static str,
        /// How much of it there is.
        actual: u64,
        /// How much may be.
        limit: u64,
        /// What moves the limit.
        setting: LimitSetting,
    },
    /// Asked to take a sample back to an earlier cut, or past the pixel cuts.
    #[error("a sample at cut {at} cannot be brought to cut {to}")]
    NoSuchStep {
        /// Where it is.
        at: Cut,
        /// Where it should have gone.
        to: Cut,
    },
    /// A payload whose type or shape is not what its cut and recipe give.
    #[error("payload of cut {cut} is {actual}, not {expected}")]
    Shape {
        /// The payload's cut.
        cut: Cut,
        /// What it is.
        actual: String,
        /// What it should be.
        expected: String,
    },
    /// Losslessly coded pixels that cannot be decoded.
    #[error("broken losslessly coded pixels: {reason}")]
    Coding {
        /// What is wrong with them.
        reason: String,
    },
    /// A row for a finished tensor that has another length than the tensor.
    #[error("a row of {actual} elements was given for a tensor of {expected}")]
    RowLength {
        /// The row's length.
        actual: usize,
        /// The tensor's.
        expected: usize,
    },
}

// === impl ImageError ===

impl ImageError {
    pub(crate) fn malformed(format: Format, reason: impl Into<String>) -> Self {
        Self::Malformed { format, reason: reason.into() }
    }

    /// The failure's kind.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::UnsupportedFormat { .. } | Self::UnsupportedFeature { .. } => FailureKind::UnsupportedFormat,
            Self::Malformed { .. } => FailureKind::Malformed,
            Self::LimitExceeded { .. } => FailureKind::LimitExceeded,
            Self::NoSuchStep { .. } | Self::Shape { .. } | Self::Coding { .. } | Self::RowLength { .. } => {
                FailureKind::Internal
            }
        }
    }
}

impl From<ImageError> for SampleFailure {
    fn from(error: ImageError) -> Self {
        Self::new(error.kind(), error.to_string())
    }
}
