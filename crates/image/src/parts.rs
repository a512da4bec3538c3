//! A payload taken apart, as it travels, and put together again.

use bytes::Bytes;
use headwater_types::{Cut, DType, Form, ImageLimits, PixelCoding, Position, Recipe, Scale, Shape, Size, Way};

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
        let source = self.source().or(source);
        let origin = if let Self::JpegCrop(crop) = &self { crop.origin } else { Position::default() };
        let coded = match pixels {
            PixelCoding::Lossless => self.rgb().and_then(lossless::encode),
            PixelCoding::Raw => None,
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
        let (cut, form) = (parts.way.cut(), parts.way.cut().form());
        let wrong = parts.error(recipe);
        match (form, parts.shape.axes()) {
            (Form::Stored, &[length]) if parts.is_file_of(length) => Ok(Self::Encoded(parts.bytes)),
            (Form::Crop, &[length]) if parts.is_file_of(length) => {
                let source = parts.source.ok_or(wrong)?;
                Ok(Self::JpegCrop(JpegCrop { jpeg: parts.bytes, origin: parts.origin, source }))
            }
            (Form::Photo, &[height, width, 3]) if parts.holds(DType::U8) => {
                let size = Size { width, height };
                let source = parts.source.filter(|&source| source != size);
                let rgb = parts.into_rgb(recipe, size, limits)?;
                match source {
                    None => Ok(Self::Decoded(rgb)),
                    Some(source) if may_be_scaled(recipe, source, size) => Ok(Self::Scaled(Scaled { rgb, source })),
                    Some(_) => Err(wrong),
                }
            }
            (Form::Pixels, &[height, width, 3]) if parts.holds(DType::U8) => {
                let size = Size { width, height };
                if size != recipe.output_size() {
                    return Err(wrong);
                }
                Self::of_pixels(cut, parts.into_rgb(recipe, size, limits)?).ok_or(wrong)
            }
            (Form::Floats, &[3, height, width]) if parts.holds(DType::F32) => {
                let size = Size { width, height };
                if size != recipe.output_size() {
                    return Err(wrong);
                }
                let tensor = Tensor::new(size, floats_from_bytes(&parts.bytes));
                tensor.and_then(|tensor| Self::of_floats(cut, tensor)).ok_or(wrong)
            }
            (Form::Features, _) => Err(ImageError::NoSuchStep { at: cut, to: Cut::Normalized }),
            (Form::Stored | Form::Crop | Form::Photo | Form::Pixels | Form::Floats, _) => Err(wrong),
        }
    }
}

// === impl Parts ===

impl Parts {
    /// Whether these are the bytes of a file of this length.
    fn is_file_of(&self, length: u32) -> bool {
        self.dtype == DType::U8 && self.bytes.len() == length as usize
    }

    /// Whether these are elements of this type, as many as the shape says, unless they are coded.
    fn holds(&self, dtype: DType) -> bool {
        let length = self.shape.elements().and_then(|count| count.checked_mul(dtype.size()));
        self.dtype == dtype && (self.way.pixels() == PixelCoding::Lossless || length == Some(self.bytes.len()))
    }

    /// The pixels, decoded where they are coded.
    fn into_rgb(self, recipe: &Recipe, size: Size, limits: &ImageLimits) -> Result<Rgb8, ImageError> {
        match self.way.pixels() {
            PixelCoding::Raw => {
                let wrong = self.error(recipe);
                Rgb8::new(size, self.bytes.into()).ok_or(wrong)
            }
            PixelCoding::Lossless => lossless::decode(&self.bytes, size, limits),
        }
    }

    /// The error that these parts are not what their cut and the recipe say.
    fn error(&self, recipe: &Recipe) -> ImageError {
        let Size { width, height } = recipe.output_size();
        ImageError::Shape {
            cut: self.way.cut(),
            actual: format!("{} {:?} in {} bytes", self.dtype, self.shape, self.bytes.len()),
            expected: match self.way.cut().form() {
                Form::Stored | Form::Crop => "uint8 [n]".to_owned(),
                Form::Photo => "uint8 [h, w, 3]".to_owned(),
                Form::Pixels => format!("uint8 [{height}, {width}, 3]"),
                Form::Floats => format!("float32 [3, {height}, {width}]"),
                Form::Features => "float32 [d]".to_owned(),
            },
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
