//! What a recipe's stages do.

use crate::area::Size;

/// A recipe's stages, in the order in which they run.
#[derive(Clone, Debug, PartialEq)]
pub struct Stages {
    /// `decode`: bytes to RGB8.
    pub orientation: Orientation,
    /// How exactly `decode` decodes.
    pub decode: DecodeMode,
    /// The stages that bring the photo to a fixed size.
    pub geometry: Geometry,
    /// How the resize weighs pixels.
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
        /// Whether the bits are those of one resize or of torchvision's two steps.
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
    /// As if the whole photo were resized and then cropped, as torchvision does it. Every pixel lies where it lies in
    /// one step, but for roundings: Pillow holds the edges of a box in f32, and chooses the order of its passes by the
    /// sizes.
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
