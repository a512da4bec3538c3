//! A sample at a cut: what crosses the wire, and what the rest of the recipe starts from.

use bytes::Bytes;
use headwater_types::{Cut, DType, Position, Recipe, Shape, Size};

use crate::error::ImageError;
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
    /// The stored photo, re-written to be cropped without decoding: the same pixels. Stands where `Encoded` stands, and
    /// never leaves the storage side.
    Indexed(IndexedJpeg),
    /// A JPEG of the blocks that cover the crop.
    JpegCrop(JpegCrop),
    /// The whole photo, upright where the recipe asks for it.
    Decoded(Rgb8),
    /// Cut out and resized.
    Cropped(Rgb8),
    /// Mirrored, where the recipe and its draw say so.
    Flipped(Rgb8),
    /// As floats.
    Tensor(Tensor),
    /// Normalised: finished.
    Normalized(Tensor),
}

/// A payload taken apart, as it travels.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// How far the sample has come.
    pub cut: Cut,
    /// Type of its elements.
    pub dtype: DType,
    /// Axes, outermost first.
    pub shape: Shape,
    /// Size of the decoded photo, whatever is left of it here; `None` where nobody has looked.
    pub source: Option<Size>,
    /// Where in the decoded photo its first pixel lies: for `jpeg-crop`; elsewhere 0, 0.
    pub origin: Position,
    /// Elements in row-major order, little endian.
    pub bytes: Bytes,
}

// === impl Tensor ===

impl Tensor {
    /// A tensor from its values; `None` unless there are 3 x height x width of them.
    pub fn new(size: Size, values: Vec<f32>) -> Option<Self> {
        let expected = size.pixels().checked_mul(3)?;
        (expected > 0 && values.len() as u64 == expected).then_some(Self { size, values })
    }

    /// Height and width.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The values, red plane first.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The values, without a copy.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }
}

// === impl Payload ===

impl Payload {
    /// Where the sample is.
    pub fn cut(&self) -> Cut {
        match self {
            Self::Encoded(_) | Self::Indexed(_) => Cut::Encoded,
            Self::JpegCrop(_) => Cut::JpegCrop,
            Self::Decoded(_) => Cut::Decoded,
            Self::Cropped(_) => Cut::Cropped,
            Self::Flipped(_) => Cut::Flipped,
            Self::Tensor(_) => Cut::Tensor,
            Self::Normalized(_) => Cut::Normalized,
        }
    }

    /// Type of its elements.
    pub fn dtype(&self) -> DType {
        match self {
            Self::Tensor(_) | Self::Normalized(_) => DType::F32,
            _ => DType::U8,
        }
    }

    /// `[n]`, `[h, w, 3]` or `[3, h, w]`. Encoded bytes beyond 32 bits of length have passed no limit, and saturate.
    pub fn shape(&self) -> Shape {
        match self {
            Self::Encoded(bytes) => vector(bytes),
            Self::Indexed(photo) => vector(photo.bytes()),
            Self::JpegCrop(crop) => vector(&crop.jpeg),
            Self::Decoded(rgb) | Self::Cropped(rgb) | Self::Flipped(rgb) => {
                Shape::cube(rgb.size().height, rgb.size().width, 3)
            }
            Self::Tensor(tensor) | Self::Normalized(tensor) => {
                Shape::cube(3, tensor.size().height, tensor.size().width)
            }
        }
    }

    /// The bytes as they travel: floats little endian. Copies nothing where the machine is little endian too, but floats,
    /// which must be aligned in memory and are copied once.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Self::Encoded(bytes) => bytes,
            Self::Indexed(photo) => photo.into_bytes(),
            Self::JpegCrop(crop) => crop.jpeg,
            Self::Decoded(rgb) | Self::Cropped(rgb) | Self::Flipped(rgb) => rgb.into_pixels().into(),
            Self::Tensor(tensor) | Self::Normalized(tensor) => floats_to_bytes(tensor.values()),
        }
    }

    /// A payload from what has travelled, held against its cut and recipe: nothing about the bytes is taken on trust.
    ///
    /// # Errors
    /// `Shape` where type, shape and length do not fit together or the recipe; `NoSuchStep` for features, which are no
    /// pixels.
    pub fn from_parts(recipe: &Recipe, parts: Parts) -> Result<Self, ImageError> {
        let Parts { cut, dtype, shape, source, origin, bytes } = parts;
        let output = recipe.output_size();
        let fits = |size: Size, wanted: DType| {
            let length = shape.elements().and_then(|count| count.checked_mul(wanted.size()));
            dtype == wanted && length == Some(bytes.len()) && (cut == Cut::Decoded || size == output)
        };
        let wrong = ImageError::Shape {
            cut,
            actual: format!("{dtype} {shape:?} in {} bytes", bytes.len()),
            expected: match cut {
                Cut::Encoded | Cut::JpegCrop => "uint8 [n]".to_owned(),
                Cut::Decoded => "uint8 [h, w, 3]".to_owned(),
                Cut::Cropped | Cut::Flipped => format!("uint8 [{}, {}, 3]", output.height, output.width),
                _ => format!("float32 [3, {}, {}]", output.height, output.width),
            },
        };
        match (cut, shape.axes()) {
            (Cut::Encoded, &[length]) if dtype == DType::U8 && bytes.len() == length as usize => {
                Ok(Self::Encoded(bytes))
            }
            (Cut::JpegCrop, &[length]) if dtype == DType::U8 && bytes.len() == length as usize => {
                let source = source.ok_or(wrong)?;
                Ok(Self::JpegCrop(JpegCrop { jpeg: bytes, origin, source }))
            }
            (Cut::Decoded | Cut::Cropped | Cut::Flipped, &[height, width, 3])
                if fits(Size { width, height }, DType::U8) =>
            {
                let rgb = Rgb8::new(Size { width, height }, bytes.into()).ok_or(wrong)?;
                Ok(match cut {
                    Cut::Decoded => Self::Decoded(rgb),
                    Cut::Cropped => Self::Cropped(rgb),
                    _ => Self::Flipped(rgb),
                })
            }
            (Cut::Tensor | Cut::Normalized, &[3, height, width]) if fits(Size { width, height }, DType::F32) => {
                let tensor = Tensor::new(Size { width, height }, floats_from_bytes(&bytes)).ok_or(wrong)?;
                Ok(if cut == Cut::Tensor { Self::Tensor(tensor) } else { Self::Normalized(tensor) })
            }
            (Cut::Features, _) => Err(ImageError::NoSuchStep { at: cut, to: Cut::Normalized }),
            _ => Err(wrong),
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

fn floats_from_bytes(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|&four| f32::from_le_bytes(four)).collect()
}
