//! The cuts, by the names that programs take and the numbers of the wire.

use std::fmt;

use headwater_wire::proto;

/// How far a sample is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut(proto::Way);

// === impl Cut ===

impl Cut {
    /// Every cut that is served, in order.
    pub const ALL: [Self; 8] = [
        Self::ENCODED,
        Self::JPEG_CROP,
        Self::DECODED,
        Self::CROPPED,
        Self(proto::Way::Flipped),
        Self(proto::Way::Tensor),
        Self(proto::Way::Normalized),
        Self::FEATURES,
    ];
    /// The stored bytes.
    pub const ENCODED: Self = Self(proto::Way::Encoded);
    /// A JPEG of the crop.
    pub const JPEG_CROP: Self = Self(proto::Way::JpegCrop);
    /// All pixels.
    pub const DECODED: Self = Self(proto::Way::Decoded);
    /// Pixels of the crop, resized.
    pub const CROPPED: Self = Self(proto::Way::Cropped);
    /// What a model makes of them.
    pub const FEATURES: Self = Self(proto::Way::Features);

    /// The cut as the wire has it.
    pub(crate) fn number(self) -> i32 {
        self.0.into()
    }

    /// The cut's name on command lines.
    pub(crate) fn name(self) -> String {
        let name = self.0.as_str_name();
        name.trim_start_matches("WAY_").to_lowercase().replace('_', "-")
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name())
    }
}
