//! Why a photo could not be turned into what a recipe asks for.

use headwater_types::{Cut, FailureKind, Format, LimitSetting, SampleFailure};

/// A photo that could not be decoded, or a payload that does not fit its recipe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The content is of a format that is not decoded here.
    #[error("content is {found}: {} are decoded here", Format::listed("and"))]
    UnsupportedFormat {
        /// What the content looks like.
        found: &'static str,
    },
    /// The content is of a kind of its format that is not decoded here.
    #[error("{format} with {feature} is not decoded here: {}", stored_as(*format))]
    UnsupportedFeature {
        /// The format.
        format: Format,
        /// What the content has that is not decoded.
        feature: String,
    },
    /// The content is broken.
    #[error("broken {format}: {reason}")]
    Malformed {
        /// The format that the content claims to be.
        format: Format,
        /// What is wrong with the content.
        reason: String,
    },
    /// Decoding would have passed a limit.
    #[error("{what} {actual} over the limit of {limit}: raise {}", setting.flag())]
    LimitExceeded {
        /// What is limited.
        what: &'static str,
        /// The amount that was found.
        actual: u64,
        /// The amount that is allowed.
        limit: u64,
        /// The setting that moves the limit.
        setting: LimitSetting,
    },
    /// A sample was to be taken back to an earlier cut, or past the pixel cuts.
    #[error("a sample at cut {at} cannot be brought to cut {to}")]
    NoSuchStep {
        /// The cut at which the sample is.
        at: Cut,
        /// The cut to which it should have gone.
        to: Cut,
    },
    /// A payload whose type or shape is not what its cut and recipe give.
    #[error("payload of cut {cut} is {actual}, not {expected}")]
    Shape {
        /// The payload's cut.
        cut: Cut,
        /// The payload that there is.
        actual: String,
        /// The payload that there should be.
        expected: String,
    },
    /// Losslessly coded pixels that cannot be decoded.
    #[error("broken losslessly coded pixels: {reason}")]
    Coding {
        /// What is wrong with the coded pixels.
        reason: String,
    },
    /// A row for a finished tensor that has another length than the tensor.
    #[error("a row of {actual} elements was given for a tensor of {expected}")]
    RowLength {
        /// The row's length.
        actual: usize,
        /// The tensor's length.
        expected: usize,
    },
}

/// As what a photo of a kind that is not decoded can be stored.
fn stored_as(format: Format) -> &'static str {
    if format == Format::Jpeg { "store it as 8-bit baseline or progressive" } else { "store it as PNG" }
}

// === impl ImageError ===

impl ImageError {
    pub(crate) fn malformed(format: Format, reason: impl Into<String>) -> Self {
        Self::Malformed { format, reason: reason.into() }
    }

    /// The kind of failure that the error is to a caller.
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
