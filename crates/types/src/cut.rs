//! Where a recipe is cut: how far the storage side goes before the client takes over.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How far the storage side takes a sample. Cuts are ordered: a later cut has had every stage of the earlier ones.
///
/// A photo that cannot be cropped as a JPEG (a PNG, a CMYK or a broken JPEG) comes `encoded` where `jpeg-crop` was
/// asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// The stored bytes.
    Encoded,
    /// A JPEG of just the crop, for photos that can be cropped so.
    JpegCrop,
    /// Decoded to RGB8.
    Decoded,
    /// Cropped and resized.
    Cropped,
    /// Flipped, where the recipe flips.
    Flipped,
    /// Turned to f32, channels first.
    Tensor,
    /// Normalised: the finished tensor.
    Normalized,
    /// Features of a registered model.
    Features,
}

/// What a sample consists of at a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The photo as it is stored: the bytes of a file, u8 `[n]`.
    Stored,
    /// A JPEG of just the crop: the bytes of a file, u8 `[n]`.
    Crop,
    /// The photo's pixels at a scale of its own size: RGB, u8 `[h, w, 3]`.
    Photo,
    /// Pixels of the recipe's size: RGB, u8 `[h, w, 3]`.
    Pixels,
    /// Floats of the recipe's size: f32 `[3, h, w]`.
    Floats,
    /// Features of a registered model: f32 `[d]`.
    Features,
}

/// Text that names no cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no cut {0:?}: use one of {cuts}", cuts = CutNames)]
pub struct CutError(String);

/// The names of all cuts, in order, as a list for people.
pub(crate) struct CutNames;

// === impl Cut ===

impl Cut {
    /// Every cut, in order.
    pub const ALL: [Self; Self::Features as usize + 1] = [
        Self::Encoded,
        Self::JpegCrop,
        Self::Decoded,
        Self::Cropped,
        Self::Flipped,
        Self::Tensor,
        Self::Normalized,
        Self::Features,
    ];

    /// The cuts after which a client can finish the recipe itself: all cuts but `features`.
    pub const PIXELS: [Self; Self::Features as usize] =
        [Self::Encoded, Self::JpegCrop, Self::Decoded, Self::Cropped, Self::Flipped, Self::Tensor, Self::Normalized];

    /// What a sample consists of at this cut.
    pub const fn form(self) -> Form {
        match self {
            Self::Encoded => Form::Stored,
            Self::JpegCrop => Form::Crop,
            Self::Decoded => Form::Photo,
            Self::Cropped | Self::Flipped => Form::Pixels,
            Self::Tensor | Self::Normalized => Form::Floats,
            Self::Features => Form::Features,
        }
    }

    /// Whether a sample at this cut is RGB pixels, u8 `[h, w, 3]`.
    pub const fn is_rgb(self) -> bool {
        match self.form() {
            Form::Photo | Form::Pixels => true,
            Form::Stored | Form::Crop | Form::Floats | Form::Features => false,
        }
    }

    /// Whether a sample at this cut can be coded without loss: pixels, and what a model makes of them.
    pub const fn is_codable(self) -> bool {
        self.is_rgb() || matches!(self, Self::Features)
    }

    /// The cut whose u8 pixels are sent in place of this cut's floats: a quarter of the bytes, and the same tensor.
    /// Cuts without floats stand for themselves.
    pub const fn as_pixels(self) -> Self {
        match self.form() {
            Form::Floats => Self::Flipped,
            Form::Stored | Form::Crop | Form::Photo | Form::Pixels | Form::Features => self,
        }
    }

    /// What a sample is at this cut, in words for documentation.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Encoded => "the stored bytes",
            Self::JpegCrop => {
                "a JPEG of just the blocks that the crop needs, where the photo can be cropped so; \
                 else the stored bytes"
            }
            Self::Decoded => "the photo's pixels: RGB, u8 `[h, w, 3]`",
            Self::Cropped => "cropped and resized: RGB, u8, of the recipe's size",
            Self::Flipped => "flipped, where the recipe flips it: RGB, u8, of the recipe's size",
            Self::Tensor => "channels first: f32 `[3, h, w]`, sent as the u8 pixels that it is made from",
            Self::Normalized => "the finished tensor: f32 `[3, h, w]`, sent as the u8 pixels that it is made from",
            Self::Features => "features of a registered model: f32 `[d]`",
        }
    }

    /// The cut's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Encoded => "encoded",
            Self::JpegCrop => "jpeg-crop",
            Self::Decoded => "decoded",
            Self::Cropped => "cropped",
            Self::Flipped => "flipped",
            Self::Tensor => "tensor",
            Self::Normalized => "normalized",
            Self::Features => "features",
        }
    }
}

impl FromStr for Cut {
    type Err = CutError;

    fn from_str(name: &str) -> Result<Self, CutError> {
        Self::ALL.into_iter().find(|cut| cut.as_str() == name).ok_or_else(|| CutError(name.to_owned()))
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for CutNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Cut::ALL.map(Cut::as_str).join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_named_and_ordered_as_the_pipeline_runs() {
        assert!(Cut::ALL.is_sorted());
        assert!(Cut::ALL.into_iter().filter(|cut| cut.form() != Form::Features).eq(Cut::PIXELS));
        for cut in Cut::ALL {
            assert_eq!(cut.to_string().parse::<Cut>(), Ok(cut));
        }
        assert!("jpeg".parse::<Cut>().is_err());
    }
}
