//! The restart-indexed JPEG: a photo re-written once, without loss, so that from then on it is cropped by copying bytes.
//!
//! Invariant: its pixels are those of the photo that it was made from, to the bit; and those of a crop are those of the
//! whole, wherever a framing reads.

use bytes::Bytes;
use headwater_types::recipe::{Orientation, Stages};
use headwater_types::{ByteCount, Cut, Framing, ImageLimits, Position, Size};

use crate::error::ImageError;
use crate::exif::UPRIGHT;
use crate::header::{Detail, Header};
use crate::jpeg;
use crate::limits;
use crate::orient::{stored_box, turned_box, turned_size};
use crate::unindexable::Unindexable;
use crate::view::View;

/// A photo that was re-written with restart markers, and verified.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexedJpeg {
    bytes: Bytes,
    index: jpeg::Index,
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

// === impl IndexedJpeg ===

impl IndexedJpeg {
    /// Re-writes a photo, and verifies that what came of it has the same coefficients, and whatever else its pixels are
    /// made from. Takes the memory that [`Self::rewrite_memory`] tells, and about three times as long as decoding it.
    ///
    /// # Errors
    /// Why it cannot be done exactly.
    pub fn rewrite(bytes: &[u8], limits: &ImageLimits) -> Result<Self, Unindexable> {
        let (bytes, index) = jpeg::rewrite(bytes, limits)?;
        Ok(Self { bytes: bytes.into(), index })
    }

    /// Peak memory of re-writing a photo of `bytes` bytes, those included: what a permit is taken for. 0 for what is no
    /// JPEG.
    pub fn rewrite_memory(header: &Header, bytes: ByteCount) -> ByteCount {
        match &header.detail {
            Detail::Jpeg(frame) => jpeg::rewrite_memory(frame, bytes.get()),
            _ => ByteCount::new(0),
        }
    }

    /// The most bytes that the re-written form of a photo of this size has: what a permit is taken for before it is read.
    pub fn most_bytes(source: ByteCount) -> ByteCount {
        ByteCount::new(jpeg::most_rewritten(source.get()))
    }

    /// Opens what [`Self::rewrite`] gave, read back from where it was kept. Reads its header only: damage behind it, which
    /// whoever kept it finds by a checksum, makes another picture or an error of [`Self::slice`].
    ///
    /// # Errors
    /// Where it is no such photo, or past the limits.
    pub fn open(bytes: Bytes, limits: &ImageLimits) -> Result<Self, ImageError> {
        limits::check_object(&bytes, limits)?;
        let this = Self { index: jpeg::Index::read(&bytes)?, bytes };
        limits::check_size(this.index.grid.size, limits)?;
        limits::check_memory(this.memory(), limits)?;
        Ok(this)
    }

    /// Size of the decoded photo: after the turn by its EXIF orientation, where asked for.
    pub fn size(&self, orientation: Orientation) -> Size {
        turned_size(self.index.grid.size, self.turn(orientation))
    }

    /// Peak memory of decoding it whole, its bytes and RGB pixels included; a part takes less.
    pub fn memory(&self) -> ByteCount {
        self.index.memory(self.bytes.len() as u64)
    }

    /// The blocks that cover what `framing`, by these stages, reads, as a JPEG of their own. Copies bytes; decodes nothing.
    ///
    /// # Errors
    /// `Shape` where `framing` is none of this photo; `Malformed` where restart markers are missing.
    pub fn slice(&self, stages: &Stages, framing: &Framing) -> Result<JpegCrop, ImageError> {
        let (turn, source) = (self.turn(stages.orientation), self.size(stages.orientation));
        let read = View::new(stages, framing, turn == UPRIGHT).stored(source);
        if !read.lies_in(source) {
            return Err(ImageError::Shape {
                cut: Cut::JpegCrop,
                actual: format!("a photo of {source:?}"),
                expected: format!("one that holds {read:?}"),
            });
        }
        let wanted = stored_box(read, source, turn);
        let (jpeg, pixels) = jpeg::slice(&self.bytes, &self.index, wanted)?;
        let origin = turned_box(pixels, self.index.grid.size, turn).origin();
        Ok(JpegCrop { jpeg: jpeg.into(), origin, source })
    }

    /// The whole photo: a JPEG that any decoder reads.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The same, without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// The turn that a recipe asks for.
    fn turn(&self, orientation: Orientation) -> u8 {
        match orientation {
            Orientation::Stored => UPRIGHT,
            Orientation::Exif => self.index.orientation,
        }
    }
}
