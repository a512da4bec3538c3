//! Raw rows of a PNG, converted to RGB.

use headwater_types::Format;
use png::{BitDepth, ColorType};

use crate::error::ImageError;
use crate::rgb::Rgb8;

/// What a raw row is converted with.
pub(super) struct RowConverter {
    color: ColorType,
    depth: BitDepth,
    /// The colour of each sample of 1 to 8 bits, for grey and palette.
    table: Box<[[u8; 3]; 256]>,
}

// === impl RowConverter ===

impl RowConverter {
    /// The converter of a PNG's rows.
    pub(super) fn new(info: &png::Info<'_>) -> Result<Self, ImageError> {
        let mut table = Box::new([[0; 3]; 256]);
        match info.color_type {
            ColorType::Indexed => {
                let palette = info
                    .palette
                    .as_ref()
                    .ok_or_else(|| ImageError::malformed(Format::Png, "its palette is missing"))?;
                for (entry, &color) in table.iter_mut().zip(palette.as_chunks::<3>().0) {
                    *entry = color;
                }
            }
            _ => {
                // White is the sample of 1, 3, 15 or 255.
                let white = (1_u32 << (info.bit_depth as u32).min(8)) - 1;
                for (value, entry) in table.iter_mut().enumerate() {
                    *entry = [((value as u32).min(white) * 255 / white) as u8; 3];
                }
            }
        }
        Ok(Self { color: info.color_type, depth: info.bit_depth, table })
    }

    /// Whether rows are stored as they are wanted, so that nothing is to be converted.
    pub(super) fn is_rgb8(&self) -> bool {
        self.color == ColorType::Rgb && self.depth == BitDepth::Eight
    }

    /// Converts as many pixels as `out` has room for.
    pub(super) fn row(&self, raw: &[u8], out: &mut [u8]) {
        let (out, _) = out.as_chunks_mut::<{ Rgb8::CHANNELS }>();
        match (self.color, self.depth) {
            (ColorType::Grayscale | ColorType::Indexed, BitDepth::Eight) => {
                zip(raw.as_chunks::<1>().0, out, |&[v]| self.table[usize::from(v)]);
            }
            (ColorType::Grayscale, BitDepth::Sixteen) => {
                zip(raw.as_chunks::<2>().0, out, |&[high, low]| [if high == 0 { low } else { 255 }; 3]);
            }
            (ColorType::Grayscale | ColorType::Indexed, depth) => self.packed(raw, depth as u32, out),
            (ColorType::GrayscaleAlpha, BitDepth::Sixteen) => zip(raw.as_chunks::<4>().0, out, |p| [p[0]; 3]),
            (ColorType::GrayscaleAlpha, _) => zip(raw.as_chunks::<2>().0, out, |p| [p[0]; 3]),
            (ColorType::Rgb, BitDepth::Sixteen) => zip(raw.as_chunks::<6>().0, out, |p| [p[0], p[2], p[4]]),
            (ColorType::Rgb, _) => zip(raw.as_chunks::<3>().0, out, |p| *p),
            (ColorType::Rgba, BitDepth::Sixteen) => zip(raw.as_chunks::<8>().0, out, |p| [p[0], p[2], p[4]]),
            (ColorType::Rgba, _) => zip(raw.as_chunks::<4>().0, out, |p| [p[0], p[1], p[2]]),
        }
    }

    /// Converts samples of which several share a byte, the first in its high bits.
    fn packed(&self, raw: &[u8], bits: u32, out: &mut [[u8; 3]]) {
        let per_byte = (8 / bits) as usize;
        let mask = (1_u8 << bits) - 1;
        for (byte, pixels) in raw.iter().zip(out.chunks_mut(per_byte)) {
            for (place, pixel) in (1..).zip(pixels) {
                *pixel = self.table[usize::from(byte >> (8 - bits * place) & mask)];
            }
        }
    }
}

fn zip<T>(raw: &[T], out: &mut [[u8; 3]], convert: impl Fn(&T) -> [u8; 3]) {
    for (from, to) in raw.iter().zip(out) {
        *to = convert(from);
    }
}
