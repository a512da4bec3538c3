//! A payload taken apart, as it travels, and put together again.

use bytes::Bytes;
use headwater_types::{Cut, DType, ImageLimits, PixelCoding, Position, Recipe, Scale, Shape, Size, Way};

use crate::error::ImageError;
use crate::indexed::JpegCrop;
use crate::lossless;
use crate::payload::{Payload, Scaled, Tensor};
use crate::rgb::Rgb8;

/// A payload taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// How far the sample has come, and whether its pixels are coded.
    pub way: Way,
    /// Type of the payload's elements.
    pub dtype: DType,
    /// Axes of the elements, outermost first: however they are coded.
    pub shape: Shape,
    /// Size of the decoded photo, of which these may be a part; `None` where its header has not been read.
    pub source: Option<Size>,
    /// Where in the decoded photo its first pixel lies: for `jpeg-crop`; elsewhere 0, 0.
    pub origin: Position,
    /// Elements in row-major order, little endian; coded, if the way says so.
    pub bytes: Bytes,
}

// === impl Payload ===

impl Payload {
    /// Takes the payload apart. Pixels are coded as asked where that makes them smaller; other payloads travel raw.
    /// `source` is the decoded photo's size, for payloads that do not know it.
    pub fn into_parts(self, pixels: PixelCoding, source: Option<Size>) -> Parts {
        let (cut, dtype, shape) = (self.cut(), self.dtype(), self.shape());
        let (source, origin) = match &self {
            Self::JpegCrop(crop) => (Some(crop.source), crop.origin),
            Self::Scaled(photo) => (Some(photo.source), Position::default()),
            _ => (source, Position::default()),
        };
        let coded = match (pixels, &self) {
            (
                PixelCoding::Lossless,
                Self::Decoded(rgb) | Self::Scaled(Scaled { rgb, .. }) | Self::Cropped(rgb) | Self::Flipped(rgb),
            ) => lossless::encode(rgb),
            _ => None,
        };
        let (coding, bytes) = match coded {
            Some(coded) => (PixelCoding::Lossless, coded.into()),
            None => (PixelCoding::Raw, self.into_bytes()),
        };
        Parts { way: Way::asked(cut, coding, true), dtype, shape, source, origin, bytes }
    }

    /// Puts a payload together from parts that have travelled. They are checked against their cut, the recipe and the
    /// limits, and never trusted.
    ///
    /// # Errors
    /// `Shape` where type, shape and length do not fit together or the recipe; those of [`lossless::decode`];
    /// `NoSuchStep` for features, which are no pixels.
    pub fn from_parts(recipe: &Recipe, parts: Parts, limits: &ImageLimits) -> Result<Self, ImageError> {
        let Parts { way, dtype, shape, source, origin, bytes } = parts;
        let (cut, coding) = (way.cut(), way.pixels());
        let output = recipe.output_size();
        let fits = |size: Size, wanted: DType| {
            let length = shape.elements().and_then(|count| count.checked_mul(wanted.size()));
            dtype == wanted
                && (coding == PixelCoding::Lossless || length == Some(bytes.len()))
                && (cut == Cut::Decoded || size == output)
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
                let size = Size { width, height };
                let rgb = match coding {
                    PixelCoding::Raw => Rgb8::new(size, bytes.into()).ok_or_else(|| wrong.clone())?,
                    PixelCoding::Lossless => lossless::decode(&bytes, size, limits)?,
                };
                Ok(match cut {
                    Cut::Decoded => match source.filter(|&source| source != size) {
                        None => Self::Decoded(rgb),
                        Some(source) if may_be_scaled(recipe, source, size) => Self::Scaled(Scaled { rgb, source }),
                        Some(_) => return Err(wrong),
                    },
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

/// Whether a picture can be one of size `source` at a scale; which one, its framing tells.
fn may_be_scaled(recipe: &Recipe, source: Size, scaled: Size) -> bool {
    source.pixels() > 0 && Scale::all(recipe.stages().decode).iter().any(|scale| scale.size(source) == scaled)
}

fn floats_from_bytes(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|&four| f32::from_le_bytes(four)).collect()
}
