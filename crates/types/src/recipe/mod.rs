//! A recipe: what is done to every photo, stage by stage, from its bytes to the tensor that a network takes.
//!
//! Recipes are written in TOML as an ordered list of stages and told apart by the BLAKE3 digest of their canonical form,
//! in which every default is spelt out, but for those of keys that came later: a digest outlives them. The name is not part
//! of the digest: two names for one recipe are one recipe.
//!
//! ```toml
//! name = "imagenet-train"
//! [[stage]]
//! op = "decode"
//! [[stage]]
//! op = "random-resized-crop"
//! size = 224
//! [[stage]]
//! op = "random-horizontal-flip"
//! [[stage]]
//! op = "to-tensor"
//! [[stage]]
//! op = "normalize"
//! mean = [0.485, 0.456, 0.406]
//! std = [0.229, 0.224, 0.225]
//! ```
//!
//! The grammar is closed on purpose: `decode`, one of four ways to a fixed size, an optional flip, `to-tensor`, an
//! optional `normalize`. Anything after that is the user's own code on the finished tensor.

mod builtin;
mod canonical;
mod fields;
mod parse;

use std::fmt;
use std::str::FromStr;

pub use parse::RecipeError;

use crate::digest::Digest;
use crate::framing::Size;
use crate::ids::{NameError, check_name};

/// A checked recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    name: RecipeName,
    stages: Stages,
    digest: Digest,
}

/// What a recipe is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecipeName(String);

/// A recipe's stages, in the order in which they run.
#[derive(Clone, Debug, PartialEq)]
pub struct Stages {
    /// `decode`: bytes to RGB8.
    pub orientation: Orientation,
    /// How exactly.
    pub decode: DecodeMode,
    /// One of the ways to a fixed size.
    pub geometry: Geometry,
    /// How pixels are weighed on that way.
    pub interpolation: Interpolation,
    /// `random-horizontal-flip`, and its probability.
    pub flip: Option<f64>,
    /// `to-tensor`: u8 to f32, channels first.
    pub scale: TensorScale,
    /// `normalize`.
    pub normalize: Option<Normalize>,
}

/// Whether the EXIF orientation is applied when a photo is decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Orientation {
    /// Pixels as stored, as torchvision's `ImageFolder` gives them.
    #[default]
    Stored,
    /// Turned upright, as Pillow's `ImageOps.exif_transpose` does.
    Exif,
}

/// How exactly a JPEG is decoded. Other formats are always decoded exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecodeMode {
    /// Every pixel is Pillow's.
    #[default]
    Exact,
    /// At a fraction of its size, where the resize would make it smaller still: see [`crate::Scale`]. The same bits on
    /// every machine and at every cut, but not Pillow's.
    Fast,
}

/// The filter of the resize: Pillow's, antialiased. Both give Pillow's bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Interpolation {
    /// A triangle over a pixel to each side, of the larger of the photo's and the output's.
    #[default]
    Bilinear,
    /// Keys' cubic convolution with a = -0.5, over two pixels to each side.
    Bicubic,
}

/// How a decoded photo comes to the recipe's fixed size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Geometry {
    /// torchvision's `RandomResizedCrop`: a box of random area and aspect, cut out, then resized.
    RandomResizedCrop {
        /// Output size.
        size: Size,
        /// Lowest and highest area of the box, as a fraction of the photo's.
        scale: [f64; 2],
        /// Lowest and highest aspect ratio (width / height).
        ratio: [f64; 2],
    },
    /// torchvision's `Resize(shorter)` and `CenterCrop(size)`.
    ResizeThenCenterCrop {
        /// Length of the shorter side after resizing, in pixels.
        shorter: u32,
        /// Output size.
        size: Size,
        /// Whose bits.
        steps: Steps,
    },
    /// TensorFlow's evaluation: the central square of `fraction` x the shorter side, resized. The box may lie between
    /// pixels and the filter may look past its edge, as in Pillow's `resize(size, box=...)`.
    CenterCropThenResize {
        /// Side of the square, as a fraction of the photo's shorter side.
        fraction: f64,
        /// Output size.
        size: Size,
    },
    /// The whole photo, resized without keeping its aspect.
    Resize {
        /// Output size.
        size: Size,
    },
}

/// How a photo is resized and then cropped. Either way no more is computed than the crop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Steps {
    /// The crop is mapped back to the photo, and that box is resized, as by Pillow's `resize(size, box=...)`.
    #[default]
    One,
    /// As if the whole photo were resized and then cropped, as torchvision does it. Every pixel lies where it lies in one step,
    /// but for roundings: Pillow holds the edges of a box in f32, and chooses the order of its passes by the sizes.
    Two,
}

/// What a byte becomes as a float.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TensorScale {
    /// `x / 255`, as torchvision's `ToTensor`.
    #[default]
    Unit,
    /// `x`, in 0..=255.
    Byte,
}

/// Per channel `(x - mean) / std`, red, green, blue, each operation rounded to f32, as torchvision's `Normalize`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalize {
    /// Subtracted.
    pub mean: [f32; 3],
    /// Divided by; not zero.
    pub std: [f32; 3],
}

// === impl Recipe ===

impl Recipe {
    /// Reads a recipe from TOML.
    pub fn from_toml(text: &str) -> Result<Self, RecipeError> {
        parse::recipe(text)
    }

    pub(crate) fn new(name: RecipeName, stages: Stages) -> Self {
        let digest = canonical::digest(&stages);
        Self { name, stages, digest }
    }

    /// A recipe from the box; `None` where there is none of that name.
    pub fn builtin(name: &str) -> Option<Self> {
        builtin::TEXTS.iter().find(|(known, _)| *known == name).and_then(|(_, text)| Self::from_toml(text).ok())
    }

    /// Names of the recipes in the box.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        builtin::TEXTS.iter().map(|(name, _)| *name)
    }

    /// The recipe's name.
    pub fn name(&self) -> &RecipeName {
        &self.name
    }

    /// Its stages.
    pub fn stages(&self) -> &Stages {
        &self.stages
    }

    /// The digest of its canonical form.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Height and width of what it gives.
    pub fn output_size(&self) -> Size {
        self.stages.geometry.size()
    }

    /// Whether the same photo gives another tensor in another epoch.
    pub fn is_random(&self) -> bool {
        let never_flips = |p: f64| p <= 0.0 || p >= 1.0;
        matches!(self.stages.geometry, Geometry::RandomResizedCrop { .. }) || !self.stages.flip.is_none_or(never_flips)
    }

    /// The canonical form: TOML which reads back as the same recipe.
    pub fn to_toml(&self) -> String {
        format!("name = \"{}\"\n{}", self.name, canonical::text(&self.stages))
    }
}

// === impl Geometry ===

impl Geometry {
    /// Output size.
    pub fn size(&self) -> Size {
        match *self {
            Self::RandomResizedCrop { size, .. }
            | Self::ResizeThenCenterCrop { size, .. }
            | Self::CenterCropThenResize { size, .. }
            | Self::Resize { size } => size,
        }
    }
}

// === impl RecipeName ===

impl RecipeName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RecipeName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        check_name(name, "recipe")?;
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for RecipeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
