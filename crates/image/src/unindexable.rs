//! Why a photo has no restart-indexed form.

use std::fmt;

use crate::error::ImageError;

/// Why a photo has no restart-indexed form. The photo is read as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unindexable {
    /// The photo is no JPEG.
    NotJpeg,
    /// The photo is a JPEG of a kind that is not decoded here: lossless, hierarchical, deep, or of two components.
    Unsupported,
    /// The photo is past the limits of one image.
    OverLimit,
    /// The photo's header cannot be read.
    Broken,
    /// The photo is stored as cyan, magenta, yellow and black.
    Cmyk,
    /// The photo is arithmetic coded.
    Arithmetic,
    /// The photo has no end-of-image marker.
    NoEnd,
    /// The photo's components are sampled in a way that cannot be put into one scan.
    Sampling,
    /// The photo is a progressive JPEG whose last scans are missing: libjpeg smooths its pixels.
    Unfinished,
    /// The photo's coefficients take more memory than one sample may.
    Memory,
    /// The photo is damaged: libjpeg decodes it with a warning, and guesses.
    Damaged,
    /// libjpeg cannot read the photo, or cannot write it anew.
    Untransformable,
    /// A row of strips is too long for the table, or the table would be.
    Strips,
    /// The indexed form would be far larger than the photo.
    Grew,
    /// The indexed form does not have the same pixels.
    Differs,
}

// === impl Unindexable ===

impl Unindexable {
    /// Every reason.
    pub const ALL: [Self; 15] = [
        Self::NotJpeg,
        Self::Unsupported,
        Self::OverLimit,
        Self::Broken,
        Self::Cmyk,
        Self::Arithmetic,
        Self::NoEnd,
        Self::Sampling,
        Self::Unfinished,
        Self::Memory,
        Self::Damaged,
        Self::Untransformable,
        Self::Strips,
        Self::Grew,
        Self::Differs,
    ];

    /// The reason's name, for counters and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotJpeg => "not-jpeg",
            Self::Unsupported => "unsupported",
            Self::OverLimit => "over-limit",
            Self::Broken => "broken",
            Self::Cmyk => "cmyk",
            Self::Arithmetic => "arithmetic",
            Self::NoEnd => "no-end",
            Self::Sampling => "sampling",
            Self::Unfinished => "unfinished",
            Self::Memory => "memory",
            Self::Damaged => "damaged",
            Self::Untransformable => "untransformable",
            Self::Strips => "strips",
            Self::Grew => "grew",
            Self::Differs => "differs",
        }
    }
}

impl From<&ImageError> for Unindexable {
    /// Why a photo whose header gave this error cannot be re-written.
    fn from(error: &ImageError) -> Self {
        match error {
            ImageError::UnsupportedFormat { .. } => Self::NotJpeg,
            ImageError::UnsupportedFeature { .. } => Self::Unsupported,
            ImageError::LimitExceeded { .. } => Self::OverLimit,
            ImageError::Malformed { .. }
            | ImageError::NoSuchStep { .. }
            | ImageError::Shape { .. }
            | ImageError::Coding { .. }
            | ImageError::RowLength { .. } => Self::Broken,
        }
    }
}

impl fmt::Display for Unindexable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_reason_has_a_name_of_its_own() {
        let names: HashSet<_> = Unindexable::ALL.iter().map(|reason| reason.as_str()).collect();
        assert_eq!(names.len(), Unindexable::ALL.len());
    }
}
