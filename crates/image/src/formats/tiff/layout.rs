//! What the directory of a TIFF says of its first page, held against the limits.

use headwater_types::{ImageLimits, Size};

use super::directory::{Directory, FILL_ORDER, PLANAR, Values, malformed, unsupported};
use super::expand::Coding;
use super::geometry::Geometry;
use super::kind::{Kind, Number};
use super::samples::{has_extra, samples};
use crate::error::ImageError;
use crate::exif::UPRIGHT;
use crate::formats::stored::Stored;
use crate::orient::turned_size;
use crate::{limits, xmp};

/// What the directory of a TIFF says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(super) directory: Directory,
    pub(super) geometry: Geometry,
    pub(super) orientation: u8,
    pub(super) kind: Kind,
    /// Bits of a sample.
    pub(super) bits: usize,
    /// Samples of a pixel.
    pub(super) samples: usize,
    /// Whether each sample of the pixels has chunks of its own.
    pub(super) planar: bool,
    pub(super) coding: Coding,
    /// Whether samples are differences: 2 between neighbours, 3 between the bytes of floats.
    pub(super) predictor: u64,
    /// Whether the first bit of a byte is its lowest.
    pub(super) reversed: bool,
}

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const COMPRESSION: u16 = 259;
const STRIP_OFFSETS: u16 = 273;
const ORIENTATION: u16 = 274;
const ROWS_PER_STRIP: u16 = 278;
const STRIP_LENGTHS: u16 = 279;
const PREDICTOR: u16 = 317;
pub(super) const COLOR_MAP: u16 = 320;
const TILE_WIDTH: u16 = 322;
const TILE_HEIGHT: u16 = 323;
const TILE_OFFSETS: u16 = 324;
const TILE_LENGTHS: u16 = 325;
const XMP: u16 = 700;

// === impl Layout ===

impl Layout {
    /// Reads the directory. Allocates nothing.
    pub(crate) fn read(bytes: &[u8], limits: &ImageLimits) -> Result<Self, ImageError> {
        let directory = Directory::read(bytes)?;
        let first = |tag: u16, default: u64| directory.first(bytes, tag).unwrap_or(default);
        let side = |tag: u16| u32::try_from(first(tag, 0)).map_err(|_| malformed("a side of it is too long"));
        let photo = Size { width: side(WIDTH)?, height: side(HEIGHT)? };
        if photo.pixels() == 0 {
            return Err(malformed("it is empty, or does not say its size"));
        }
        limits::check_size(photo, limits)?;
        let geometry = geometry(photo, &directory, bytes)?;
        limits::check_pixels(geometry.padded(), limits)?;
        let coding = Coding::of(first(COMPRESSION, 1))?;
        let (kind, bits, samples) = samples(&directory, bytes)?;
        let planar = first(PLANAR, 1) == 2 && samples > 1;
        let kind = match kind {
            // To libtiff, a fourth sample that is not named is alpha, and Pillow divides by it where it has a plane.
            Kind::Color { .. } if planar && coding != Coding::None && samples == 4 && !has_extra(&directory, bytes) => {
                Kind::Color { multiplied: true }
            }
            kind => kind,
        };
        let this = Self {
            directory,
            geometry,
            orientation: orientation(&directory, bytes),
            kind,
            bits,
            samples,
            planar,
            coding,
            predictor: if coding.predicts() { first(PREDICTOR, 1) } else { 1 },
            reversed: first(FILL_ORDER, 1) == 2,
        };
        this.check()?;
        Ok(this)
    }

    /// Refuses what is a kind of TIFF, but not decoded here.
    fn check(&self) -> Result<(), ImageError> {
        match (self.predictor, self.bits, self.kind) {
            (1, _, _) | (2, 8 | 16 | 32, _) => {}
            (3, 32, Kind::Deep(Number::Float)) => {}
            (predictor, bits, _) => return Err(unsupported(format!("predictor {predictor} of {bits} bits"))),
        }
        match (self.coding, self.kind) {
            (Coding::Jpeg, Kind::Luma | Kind::Grey { inverted: false } | Kind::Color { .. } | Kind::Cmyk)
                if self.bits == 8 && !self.planar && !self.reversed && matches!(self.samples, 1 | 3 | 4) =>
            {
                Ok(())
            }
            (Coding::Jpeg, _) => Err(unsupported("a JPEG inside that is no 8-bit grey, RGB, YCbCr or CMYK")),
            (_, Kind::Luma) => Err(unsupported("YCbCr outside of a JPEG")),
            (Coding::Fax3 | Coding::Fax4, _) if self.bits != 1 || self.samples != 1 => {
                Err(malformed("a fax that is not black and white"))
            }
            _ => Ok(()),
        }
    }

    /// What every format's header says. The photo is given upright.
    pub(crate) fn stored(&self, bytes: &[u8]) -> Stored {
        let turned = if self.orientation == UPRIGHT { 0 } else { self.geometry.photo.pixels() * 3 };
        let copied = if self.reversed { bytes.len() as u64 } else { 0 };
        let chunk = if self.is_as_stored() { 0 } else { self.chunk_bytes() * self.planes() as u64 };
        let memory = chunk + turned + copied + self.coding.memory(self.geometry.chunk, bytes.len() as u64);
        Stored { size: turned_size(self.geometry.photo, self.orientation), orientation: UPRIGHT, memory }
    }

    /// Whether rows can be read where they are in the file.
    pub(super) fn is_as_stored(&self) -> bool {
        self.coding == Coding::None && !self.reversed
    }

    /// Chunks that together hold all samples of some pixels.
    pub(super) fn planes(&self) -> usize {
        if self.planar { self.samples } else { 1 }
    }

    /// Samples of a pixel in one chunk.
    pub(super) fn chunk_samples(&self) -> usize {
        if self.planar { 1 } else { self.samples }
    }

    /// Bytes of a row of a chunk.
    pub(super) fn row_bytes(&self) -> usize {
        (self.geometry.chunk.width as usize * self.chunk_samples() * self.bits).div_ceil(8)
    }

    /// Bytes of a chunk's pixels.
    fn chunk_bytes(&self) -> u64 {
        self.row_bytes() as u64 * u64::from(self.geometry.chunk.height)
    }

    /// The offsets of all chunks, and their lengths, where these are stated.
    pub(super) fn chunks<'a>(&self, bytes: &'a [u8]) -> Result<(Values<'a>, Option<Values<'a>>), ImageError> {
        let (offsets, lengths) =
            if self.geometry.tiled { (TILE_OFFSETS, TILE_LENGTHS) } else { (STRIP_OFFSETS, STRIP_LENGTHS) };
        let offsets = self.directory.values(bytes, offsets).ok_or_else(|| malformed("it does not say where it is"))?;
        Ok((offsets, self.directory.values(bytes, lengths)))
    }
}

fn geometry(photo: Size, directory: &Directory, bytes: &[u8]) -> Result<Geometry, ImageError> {
    let side = |tag: u16, default: u32| match directory.first(bytes, tag) {
        Some(side) => u32::try_from(side).unwrap_or(u32::MAX),
        None => default,
    };
    let tiled = directory.values(bytes, STRIP_OFFSETS).is_none();
    let chunk = match tiled {
        true => Size { width: side(TILE_WIDTH, 0), height: side(TILE_HEIGHT, 0) },
        false => Size { width: photo.width, height: side(ROWS_PER_STRIP, u32::MAX).min(photo.height) },
    };
    if chunk.pixels() == 0 {
        return Err(malformed("its strips or tiles have no size"));
    }
    Ok(Geometry { photo, chunk, tiled })
}

/// Which way is up. The directory decides, and XMP where it has no entry for it.
fn orientation(directory: &Directory, bytes: &[u8]) -> u8 {
    let stated = match directory.values(bytes, ORIENTATION) {
        Some(values) => values.get(0).and_then(|turn| u8::try_from(turn).ok()),
        None => directory.bytes(bytes, XMP).and_then(xmp::orientation),
    };
    stated.filter(|turn| (1..=8).contains(turn)).unwrap_or(UPRIGHT)
}
