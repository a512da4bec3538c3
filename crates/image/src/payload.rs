//! A sample at a cut: what crosses the wire, and what the rest of the recipe starts from.

use bytes::Bytes;
use headwater_types::{Cut, DType, Form, Shape, Size};

use crate::indexed::{IndexedJpeg, JpegCrop};
use crate::rgb::Rgb8;

/// A float tensor, f32 `[3, height, width]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    size: Size,
    values: Vec<f32>,
}

/// A sample that has come as far as its cut.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// The stored bytes.
    Encoded(Bytes),
    /// The photo's indexed form, which has the same pixels and can be cropped without decoding. It stands for
    /// `Encoded`, and never leaves the storage side.
    Indexed(IndexedJpeg),
    /// A JPEG of the blocks that cover the crop.
    JpegCrop(JpegCrop),
    /// All pixels of the photo, turned upright where the recipe asks for it.
    Decoded(Rgb8),
    /// All pixels of the photo, at the fraction of its size that the recipe and the sample's crop give.
    Scaled(Scaled),
    /// The crop, resized to the recipe's size.
    Cropped(Rgb8),
    /// The crop, mirrored where the recipe and the sample's draw say so.
    Flipped(Rgb8),
    /// The sample as floats.
    Tensor(Tensor),
    /// The finished sample: normalised floats.
    Normalized(Tensor),
}

/// The whole photo at a fraction of its size, for a sample whose recipe makes it smaller still.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaled {
    /// The pixels at that fraction.
    pub rgb: Rgb8,
    /// Size of the unscaled photo.
    pub source: Size,
}

// === impl Tensor ===

impl Tensor {
    /// A tensor from its values; `None` unless there are 3 x height x width of them.
    pub fn new(size: Size, values: Vec<f32>) -> Option<Self> {
        let expected = size.pixels().checked_mul(3)?;
        (expected > 0 && values.len() as u64 == expected).then_some(Self { size, values })
    }

    /// The tensor's height and width.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The tensor's values, red plane first.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The tensor's values, given away without a copy.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }
}

// === impl Payload ===

impl Payload {
    /// The cut at which the sample is.
    pub fn cut(&self) -> Cut {
        match self {
            Self::Encoded(_) | Self::Indexed(_) => Cut::Encoded,
            Self::JpegCrop(_) => Cut::JpegCrop,
            Self::Decoded(_) | Self::Scaled(_) => Cut::Decoded,
            Self::Cropped(_) => Cut::Cropped,
            Self::Flipped(_) => Cut::Flipped,
            Self::Tensor(_) => Cut::Tensor,
            Self::Normalized(_) => Cut::Normalized,
        }
    }

    /// The payload of pixels of the recipe's size; `None` at cuts that have no such pixels.
    pub(crate) fn of_pixels(cut: Cut, rgb: Rgb8) -> Option<Self> {
        match cut {
            Cut::Cropped => Some(Self::Cropped(rgb)),
            Cut::Flipped => Some(Self::Flipped(rgb)),
            Cut::Encoded | Cut::JpegCrop | Cut::Decoded | Cut::Tensor | Cut::Normalized | Cut::Features => None,
        }
    }

    /// The payload of floats; `None` at cuts that have none.
    pub(crate) fn of_floats(cut: Cut, tensor: Tensor) -> Option<Self> {
        match cut {
            Cut::Tensor => Some(Self::Tensor(tensor)),
            Cut::Normalized => Some(Self::Normalized(tensor)),
            Cut::Encoded | Cut::JpegCrop | Cut::Decoded | Cut::Cropped | Cut::Flipped | Cut::Features => None,
        }
    }

    /// The payload's pixels, where it consists of pixels.
    pub(crate) fn rgb(&self) -> Option<&Rgb8> {
        match self {
            Self::Decoded(rgb) | Self::Scaled(Scaled { rgb, .. }) | Self::Cropped(rgb) | Self::Flipped(rgb) => {
                Some(rgb)
            }
            Self::Encoded(_) | Self::Indexed(_) | Self::JpegCrop(_) | Self::Tensor(_) | Self::Normalized(_) => None,
        }
    }

    /// The size of the decoded photo, where the payload knows it and has not the photo's own size.
    pub(crate) fn source(&self) -> Option<Size> {
        match self {
            Self::JpegCrop(crop) => Some(crop.source),
            Self::Scaled(photo) => Some(photo.source),
            Self::Encoded(_) | Self::Indexed(_) | Self::Decoded(_) => None,
            Self::Cropped(_) | Self::Flipped(_) | Self::Tensor(_) | Self::Normalized(_) => None,
        }
    }

    /// The type of the payload's elements.
    pub fn dtype(&self) -> DType {
        match self.cut().form() {
            Form::Stored | Form::Crop | Form::Photo | Form::Pixels => DType::U8,
            Form::Floats | Form::Features => DType::F32,
        }
    }

    /// The payload's axes: `[n]`, `[h, w, 3]` or `[3, h, w]`. A length of encoded bytes beyond 32 bits saturates; no
    /// limit lets it pass.
    pub fn shape(&self) -> Shape {
        match self {
            Self::Encoded(bytes) => vector(bytes),
            Self::Indexed(photo) => vector(photo.bytes()),
            Self::JpegCrop(crop) => vector(&crop.jpeg),
            Self::Decoded(rgb) | Self::Cropped(rgb) | Self::Flipped(rgb) | Self::Scaled(Scaled { rgb, .. }) => {
                Shape::cube(rgb.size().height, rgb.size().width, 3)
            }
            Self::Tensor(tensor) | Self::Normalized(tensor) => {
                Shape::cube(3, tensor.size().height, tensor.size().width)
            }
        }
    }

    /// The payload's bytes as they travel, floats in little endian. Only floats are copied, because they are aligned in
    /// memory.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Encoded(bytes) => bytes,
            Self::Indexed(photo) => photo.into_bytes(),
            Self::JpegCrop(crop) => crop.jpeg,
            Self::Decoded(rgb) | Self::Cropped(rgb) | Self::Flipped(rgb) | Self::Scaled(Scaled { rgb, .. }) => {
                rgb.into_pixels().into()
            }
            Self::Tensor(tensor) | Self::Normalized(tensor) => floats_to_bytes(tensor.values()),
        }
    }
}

fn vector(bytes: &Bytes) -> Shape {
    Shape::vector(u32::try_from(bytes.len()).unwrap_or(u32::MAX))
}

fn floats_to_bytes(values: &[f32]) -> Bytes {
    if cfg!(target_endian = "little") {
        return Bytes::copy_from_slice(bytemuck::cast_slice(values));
    }
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
