//! The restart-indexed JPEG: a photo re-written once, without loss, so that from then on it is cropped by copying
//! bytes.
//!
//! Invariant: its pixels are those of the photo that it was made from, to the bit; and those of a crop are those of the
//! whole, wherever a framing reads.

use std::ops::Range;

use bytes::Bytes;
use headwater_types::recipe::{Orientation, Stages};
use headwater_types::{ByteCount, Cut, Format, Framing, ImageLimits, Position, Size};

use crate::error::ImageError;
use crate::exif::UPRIGHT;
use crate::formats::jpeg;
use crate::header::{Header, read_header};
use crate::limits;
use crate::orient::{stored_box, turned_box, turned_size};
use crate::unindexable::Unindexable;
use crate::view::View;

/// A photo that was re-written with restart markers, and verified.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexedJpeg {
    bytes: Bytes,
    head: IndexedHead,
}

/// The header of an indexed photo whose other bytes lie elsewhere. It says which bytes a crop is cut from.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexedHead {
    index: jpeg::Index,
    length: usize,
    memory: ByteCount,
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
    /// Re-writes a photo, and verifies that the result has the same coefficients, and all else that its pixels are made
    /// from. Takes the memory that [`Self::rewrite_memory`] tells, and about three times as long as decoding the photo.
    ///
    /// # Errors
    /// Why the photo has no indexed form with the same pixels.
    pub fn rewrite(bytes: &[u8], limits: &ImageLimits) -> Result<Self, Unindexable> {
        let header = read_header(bytes, Orientation::Stored, limits).map_err(|error| Unindexable::from(&error))?;
        let frame = header.detail.jpeg().ok_or(Unindexable::NotJpeg)?;
        let (bytes, index) = jpeg::rewrite(bytes, frame, limits)?;
        let head = IndexedHead::new(index, bytes.len(), limits);
        Ok(Self { head, bytes: bytes.into() })
    }

    /// Peak memory of re-writing a photo of `bytes` bytes, those included: a permit is taken for as much. 0 for a photo
    /// that is no JPEG.
    pub fn rewrite_memory(header: &Header, bytes: ByteCount) -> ByteCount {
        header.detail.jpeg().map_or(ByteCount::new(0), |frame| jpeg::rewrite_memory(frame, bytes.get()))
    }

    /// The most bytes that the indexed form of a photo of this size has: a permit is taken for as much before it is
    /// read.
    pub fn most_bytes(source: ByteCount) -> ByteCount {
        ByteCount::new(jpeg::most_rewritten(source.get()))
    }

    /// Opens an indexed photo that [`Self::rewrite`] gave, read back from where it was kept. Reads its header only.
    /// Damage behind the header makes another picture, or an error of [`Self::slice`]: the place that keeps the photo
    /// checks for damage.
    ///
    /// # Errors
    /// `Malformed` for bytes that are no indexed photo, `LimitExceeded` for a photo past the limits.
    pub fn open(bytes: Bytes, limits: &ImageLimits) -> Result<Self, ImageError> {
        let head = IndexedHead::open(&bytes, bytes.len(), limits)?;
        if !bytes.ends_with(&jpeg::END_OF_IMAGE) {
            return Err(ImageError::malformed(Format::Jpeg, "not as it was indexed: it does not end as a JPEG"));
        }
        Ok(Self { bytes, head })
    }

    /// Size of the decoded photo, after the turn by its orientation where that is asked for.
    pub fn size(&self, orientation: Orientation) -> Size {
        self.head.size(orientation)
    }

    /// Peak memory of decoding the whole photo, its bytes and RGB pixels included. Decoding a part takes less.
    pub fn memory(&self) -> ByteCount {
        self.head.memory
    }

    /// A JPEG of the blocks that cover the pixels which `framing`, by these stages, reads. Copies bytes, and decodes
    /// nothing.
    ///
    /// # Errors
    /// `Shape` where `framing` is not one of this photo; `Malformed` where restart markers are missing.
    pub fn slice(&self, stages: &Stages, framing: &Framing) -> Result<JpegCrop, ImageError> {
        let needed = self.bytes.get(self.head.needs(&self.bytes, stages, framing)?).unwrap_or_default();
        self.head.slice(&self.bytes, needed, stages, framing)
    }

    /// The whole indexed photo: a JPEG that any decoder reads.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The whole indexed photo, given away without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

// === impl IndexedHead ===

impl IndexedHead {
    /// Reads the header of an indexed photo of `length` bytes from the first of them. A few kB hold it.
    ///
    /// # Errors
    /// `Malformed` for bytes that are no indexed photo, and where `start` ends before the header does; `LimitExceeded`
    /// for a photo past the limits.
    pub fn open(start: &[u8], length: usize, limits: &ImageLimits) -> Result<Self, ImageError> {
        limits::check_object(length, limits)?;
        let index = jpeg::Index::read(start, length)?;
        limits::check_size(index.grid.size, limits)?;
        limits::check_memory(index.memory(length as u64).0, limits)?;
        Ok(Self::new(index, length, limits))
    }

    fn new(index: jpeg::Index, length: usize, limits: &ImageLimits) -> Self {
        // Our own decoder takes part where there is memory for it.
        let (least, own) = index.memory(length as u64);
        let memory = ByteCount::new(least.get() + own.get()).min(limits.max_sample_memory).max(least);
        Self { index, length, memory }
    }

    /// Size of the decoded photo, as [`IndexedJpeg::size`] tells it.
    pub fn size(&self, orientation: Orientation) -> Size {
        turned_size(self.index.grid.size, self.turn(orientation))
    }

    /// The place of the bytes that [`Self::slice`] needs for a crop, beside `start`, which has the header.
    ///
    /// # Errors
    /// `Shape` where `framing` is not one of this photo.
    pub fn needs(&self, start: &[u8], stages: &Stages, framing: &Framing) -> Result<Range<usize>, ImageError> {
        self.rows(start, stages, framing).map(|rows| rows.place)
    }

    /// Cuts a crop, as [`IndexedJpeg::slice`] does, from the bytes that it [needs](Self::needs).
    ///
    /// # Errors
    /// Those of [`IndexedJpeg::slice`].
    pub fn slice(
        &self,
        start: &[u8],
        needed: &[u8],
        stages: &Stages,
        framing: &Framing,
    ) -> Result<JpegCrop, ImageError> {
        let (turn, source) = (self.turn(stages.orientation), self.size(stages.orientation));
        let (jpeg, pixels) = jpeg::slice(start, &self.index, &self.rows(start, stages, framing)?, needed)?;
        let origin = turned_box(pixels, self.index.grid.size, turn).origin();
        Ok(JpegCrop { jpeg: jpeg.into(), origin, source })
    }

    fn rows<'a>(&self, start: &'a [u8], stages: &Stages, framing: &Framing) -> Result<jpeg::StripRows<'a>, ImageError> {
        let (turn, source) = (self.turn(stages.orientation), self.size(stages.orientation));
        let read = View::new(stages, framing, turn == UPRIGHT).stored(source);
        if !read.lies_in(source) {
            return Err(ImageError::Shape {
                cut: Cut::JpegCrop,
                actual: format!("a photo of {source:?}"),
                expected: format!("one that holds {read:?}"),
            });
        }
        jpeg::rows(start, &self.index, stored_box(read, source, turn))
    }

    /// The turn that a recipe asks for.
    fn turn(&self, orientation: Orientation) -> u8 {
        match orientation {
            Orientation::Stored => UPRIGHT,
            Orientation::Exif => self.index.orientation,
        }
    }
}
