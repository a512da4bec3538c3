//! The header of a BMP or DIB.

use headwater_types::{Format, ImageLimits, Size};

use crate::error::ImageError;
use crate::exif::UPRIGHT;
use crate::formats::stored::Stored;
use crate::limits;

/// What the header of a BMP says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bitmap {
    pub(super) size: Size,
    pub(super) from_top: bool,
    pub(super) samples: Samples,
    /// Offset of the first pixel.
    pub(super) pixels: usize,
}

/// How the pixels of a BMP are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Samples {
    /// Indices of 1, 4 or 8 bits.
    Indices { bits: u8, colors: Colors },
    /// Runs of indices, each of 4 bits or of 8.
    Runs { fours: bool, colors: Colors },
    /// 16 bits: 5 of blue in the low ones, then so many of green, and 5 of red.
    Packed { green: u8 },
    /// Whole bytes: so many a pixel, and at which of them red, green and blue are.
    Bytes { step: u8, places: [u8; 3] },
}

/// The palette of a BMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colors {
    /// Offset of the first colour.
    pub(super) at: usize,
    pub(super) count: usize,
    /// Bytes of a colour: blue, green, red, and perhaps one more.
    pub(super) step: usize,
}

const SIGNATURE: &[u8] = b"BM";
/// Bytes before the header of a BMP; a DIB has none.
const FILE_HEADER: usize = 14;
/// Lengths of headers: of OS/2 1, Windows 3, with masks, with alpha's mask, of OS/2 2, Windows 4, and Windows 5.
const LENGTHS: [u32; 7] = [OS2, 40, 52, 56, 64, 108, 124];
const OS2: u32 = 12;

/// The masks of red, green, blue and alpha that Pillow takes for 32 bits.
const MASKS: [[u32; 4]; 8] = [
    [0x00ff_0000, 0x0000_ff00, 0x0000_00ff, 0],
    [0xff00_0000, 0x00ff_0000, 0x0000_ff00, 0],
    [0xff00_0000, 0x0000_ff00, 0x0000_00ff, 0],
    [0xff00_0000, 0x00ff_0000, 0x0000_ff00, 0x0000_00ff],
    [0x0000_00ff, 0x0000_ff00, 0x00ff_0000, 0xff00_0000],
    [0x00ff_0000, 0x0000_ff00, 0x0000_00ff, 0xff00_0000],
    [0xff00_0000, 0x0000_ff00, 0x0000_00ff, 0x00ff_0000],
    [0, 0, 0, 0],
];
/// Where red, green and blue are where nothing else is said.
const BGR: [u8; 3] = [2, 1, 0];

/// Whether content begins as a BMP or DIB does.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(SIGNATURE) || u32_at(bytes, 0).is_some_and(|length| LENGTHS.contains(&length))
}

// === impl Bitmap ===

impl Bitmap {
    /// Reads the header, and holds it against the limits. Allocates nothing.
    pub(crate) fn read(bytes: &[u8], limits: &ImageLimits) -> Result<Self, ImageError> {
        let (start, stated) = match bytes.starts_with(SIGNATURE) {
            true => (FILE_HEADER, u32_at(bytes, 10).ok_or_else(ends)? as usize),
            false => (0, 0),
        };
        let length = u32_at(bytes, start).ok_or_else(ends)?;
        if !LENGTHS.contains(&length) {
            return Err(unsupported(format!("a header of {length} bytes")));
        }
        let end = start + length as usize;
        let header = bytes.get(start..end).ok_or_else(ends)?;
        let fields = Fields::read(header).ok_or_else(ends)?;
        if fields.size.pixels() == 0 {
            return Err(malformed("it is empty"));
        }
        limits::check_size(fields.size, limits)?;
        let (samples, end) = fields.samples(bytes, header, end)?;
        let pixels = match (stated, samples) {
            (0, _) => end,
            // Some writers leave the palette out of the offset.
            (_, Samples::Indices { colors, .. } | Samples::Runs { colors, .. }) if stated == colors.at => end,
            _ => stated,
        };
        Ok(Self { size: fields.size, from_top: fields.from_top, samples, pixels })
    }

    /// What every format's header says. Pixels are converted as they are read; only a palette is held beside them.
    pub(crate) fn stored(&self) -> Stored {
        Stored { size: self.size, orientation: UPRIGHT, memory: 1024 }
    }
}

/// What a header states in numbers.
struct Fields {
    size: Size,
    from_top: bool,
    bits: u16,
    compression: u32,
    colors: u32,
    /// Bytes of a colour of the palette.
    color_bytes: usize,
}

// === impl Fields ===

impl Fields {
    fn read(header: &[u8]) -> Option<Self> {
        let sixteen = |at: usize| Some(u16::from_le_bytes([*header.get(at)?, *header.get(at + 1)?]));
        if header.len() == OS2 as usize {
            let size = Size { width: sixteen(4)?.into(), height: sixteen(6)?.into() };
            return Some(Self { size, from_top: false, bits: sixteen(10)?, compression: 0, colors: 0, color_bytes: 3 });
        }
        let (width, height) = (u32_at(header, 4)?, u32_at(header, 8)?);
        // A negative height: rows from the top. Pillow takes only the heights for it whose highest byte is all ones.
        let from_top = height >> 24 == 0xff;
        Some(Self {
            size: Size { width, height: if from_top { height.wrapping_neg() } else { height } },
            from_top,
            bits: sixteen(14)?,
            compression: u32_at(header, 16)?,
            colors: u32_at(header, 32)?,
            color_bytes: 4,
        })
    }

    /// How pixels are stored, and where what belongs to the header ends: masks behind it, and a palette.
    fn samples(&self, bytes: &[u8], header: &[u8], end: usize) -> Result<(Samples, usize), ImageError> {
        let bits = self.bits;
        let indexed = matches!(bits, 1 | 4 | 8);
        match (self.compression, bits) {
            (0..=2, 1 | 4 | 8) => {
                let colors = self.palette(end)?;
                let after = end + colors.count * colors.step;
                let samples = match self.compression {
                    0 => Samples::Indices { bits: bits as u8, colors },
                    coding => Samples::Runs { fours: coding == 2, colors },
                };
                Ok((samples, after))
            }
            (0, 16) => Ok((Samples::Packed { green: 5 }, end)),
            (0, 24) => Ok((Samples::Bytes { step: 3, places: BGR }, end)),
            (0, 32) => Ok((Samples::Bytes { step: 4, places: BGR }, end)),
            (3, 16 | 24 | 32) => {
                let behind = header.len() < 52;
                let (from, at) = if behind { (bytes, end) } else { (header, 40) };
                let mask = |place: usize| u32_at(from, at + 4 * place).ok_or_else(ends);
                let alpha = if header.len() < 56 { 0 } else { mask(3)? };
                let masks = [mask(0)?, mask(1)?, mask(2)?, alpha];
                let samples = masked(bits, masks).ok_or_else(|| unsupported(format!("the masks {masks:x?}")))?;
                Ok((samples, end + if behind { 12 } else { 0 }))
            }
            (0..=3, _) if !indexed => Err(unsupported(format!("{bits} bits a pixel"))),
            (3, _) => Err(unsupported("masks of indices")),
            (coding, _) => Err(unsupported(format!("compression {coding}"))),
        }
    }

    fn palette(&self, at: usize) -> Result<Colors, ImageError> {
        let count = if self.colors == 0 { 1 << self.bits } else { self.colors as usize };
        if count > 256 {
            return Err(malformed(format!("its palette has {count} colours")));
        }
        Ok(Colors { at, count, step: self.color_bytes })
    }
}

/// Pixels of these masks, if they are among those that Pillow takes.
fn masked(bits: u16, masks: [u32; 4]) -> Option<Samples> {
    match (bits, [masks[0], masks[1], masks[2]]) {
        (16, [0xf800, 0x7e0, 0x1f]) => Some(Samples::Packed { green: 6 }),
        (16, [0x7c00, 0x3e0, 0x1f]) => Some(Samples::Packed { green: 5 }),
        (24, [0xff_0000, 0xff00, 0xff]) => Some(Samples::Bytes { step: 3, places: BGR }),
        (32, [0, 0, 0]) if masks[3] == 0 => Some(Samples::Bytes { step: 4, places: BGR }),
        (32, colors) if MASKS.contains(&masks) => {
            Some(Samples::Bytes { step: 4, places: colors.map(|mask| (mask.trailing_zeros() / 8) as u8) })
        }
        _ => None,
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk::<4>()?))
}

fn ends() -> ImageError {
    malformed("it ends in its header")
}

pub(super) fn malformed(reason: impl Into<String>) -> ImageError {
    ImageError::malformed(Format::Bmp, reason)
}

fn unsupported(feature: impl Into<String>) -> ImageError {
    ImageError::UnsupportedFeature { format: Format::Bmp, feature: feature.into() }
}
