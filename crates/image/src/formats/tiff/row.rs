//! Rows of samples, converted to RGB.

use super::directory::malformed;
use super::kind::{Kind, Number};
use super::layout::{COLOR_MAP, Layout};
use crate::error::ImageError;
use crate::formats::palette::{Palette, packed};
use crate::formats::{cmyk, grey};
use crate::rgb::Rgb8;

/// What rows are converted with.
pub(super) struct RowConverter {
    kind: Kind,
    bits: usize,
    /// Samples from one pixel to the next.
    step: usize,
    planar: bool,
    big_endian: bool,
    /// The colours of indices and of grey levels of up to 8 bits.
    palette: Palette,
}

/// A row of each plane; there are more than one only where each sample has a plane of its own.
pub(super) type Planes<'a> = [&'a [u8]; 6];

// === impl RowConverter ===

impl RowConverter {
    pub(super) fn new(layout: &Layout, bytes: &[u8]) -> Result<Self, ImageError> {
        let white = (1_u32 << layout.bits.min(8)) - 1;
        let palette = match layout.kind {
            Kind::Palette => palette(layout, bytes)?,
            Kind::Grey { inverted } => Palette::new((0..=white).map(|value| {
                let level = (value * 255 / white) as u8;
                [if inverted { 255 - level } else { level }; 3]
            })),
            _ => Palette::grey(),
        };
        Ok(Self {
            kind: layout.kind,
            bits: layout.bits,
            step: layout.chunk_samples(),
            planar: layout.planar,
            big_endian: layout.directory.big_endian,
            palette,
        })
    }

    /// Converts as many pixels as `out` has room for.
    pub(super) fn convert(&self, planes: &Planes<'_>, out: &mut [u8]) {
        let row = planes[0];
        match self.kind {
            Kind::Palette | Kind::Grey { .. } if self.bits == 8 => self.palette.paint(out, |x| row[x * self.step]),
            Kind::Palette | Kind::Grey { .. } => self.palette.paint(out, |x| packed(row, self.bits, x)),
            Kind::Deep(number) => grey::spread(out, |x| self.deep(number, row, x)),
            Kind::Color { multiplied: false } | Kind::Luma if self.bits == 8 && self.step == 3 => {
                out.copy_from_slice(&row[..out.len()]);
            }
            Kind::Color { multiplied } => self.colors(out, |x| {
                let color = [0, 1, 2].map(|sample| self.byte(planes, sample, x));
                if multiplied { divided(color, self.byte(planes, 3, x)) } else { color }
            }),
            Kind::Luma => self.colors(out, |x| [0, 1, 2].map(|sample| self.byte(planes, sample, x))),
            Kind::Cmyk => self.colors(out, |x| {
                let paper = 255 - self.byte(planes, 3, x);
                [0, 1, 2].map(|sample| cmyk::subtract(self.byte(planes, sample, x), paper))
            }),
        }
    }

    fn colors(&self, out: &mut [u8], color: impl Fn(usize) -> [u8; 3]) {
        for (x, pixel) in out.as_chunks_mut::<{ Rgb8::CHANNELS }>().0.iter_mut().enumerate() {
            *pixel = color(x);
        }
    }

    /// A sample of 8 bits, or the high byte of one of 16.
    fn byte(&self, planes: &Planes<'_>, sample: usize, x: usize) -> u8 {
        let (row, at) = if self.planar { (planes[sample], x) } else { (planes[0], x * self.step + sample) };
        match self.bits {
            8 => row[at],
            _ => row[at * 2 + usize::from(!self.big_endian)],
        }
    }

    fn deep(&self, number: Number, row: &[u8], x: usize) -> u8 {
        let word = |bytes: [u8; 4]| if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        let half = |bytes: [u8; 2]| if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) };
        let clip = |level: i32| level.clamp(0, 255) as u8;
        match (self.bits, number) {
            (12, _) => {
                let at = x / 2 * 3;
                let level = match x % 2 {
                    0 => u16::from(row[at]) << 4 | u16::from(row[at + 1] >> 4),
                    _ => u16::from(row[at + 1] & 15) << 8 | u16::from(row[at + 2]),
                };
                clip(level.into())
            }
            (16, Number::Signed) => clip(half([row[2 * x], row[2 * x + 1]]).cast_signed().into()),
            (16, _) => clip(half([row[2 * x], row[2 * x + 1]]).into()),
            (_, Number::Float) => grey::of_float(f32::from_bits(word(four(row, x)))),
            (_, _) => clip(word(four(row, x)).cast_signed()),
        }
    }
}

fn four(row: &[u8], x: usize) -> [u8; 4] {
    [row[4 * x], row[4 * x + 1], row[4 * x + 2], row[4 * x + 3]]
}

/// Colours that were multiplied by alpha. What is wholly transparent is black.
fn divided(color: [u8; 3], alpha: u8) -> [u8; 3] {
    match alpha {
        0 => [0; 3],
        alpha => color.map(|level| (u32::from(level) * 255 / u32::from(alpha)).min(255) as u8),
    }
}

/// The palette: all reds, all greens, all blues, in 16 bits each, of which the high ones count.
fn palette(layout: &Layout, bytes: &[u8]) -> Result<Palette, ImageError> {
    let map = layout.directory.values(bytes, COLOR_MAP).ok_or_else(|| malformed("its palette is missing"))?;
    let count = map.len() / 3;
    let level = |at: usize| (map.get(at).unwrap_or(0) / 256) as u8;
    Ok(Palette::new((0..count.min(256)).map(|index| [0, 1, 2].map(|color| level(color * count + index)))))
}
