//! The pixels of a BMP.

use super::header::{Bitmap, Colors, Samples, malformed};
use super::runs::Runs;
use crate::error::ImageError;
use crate::formats::palette::{Palette, packed};
use crate::rgb::Rgb8;

/// Decodes the whole photo into `out`, which has the size in the header.
pub(crate) fn decode(header: &Bitmap, bytes: &[u8], out: &mut [u8]) -> Result<(), ImageError> {
    let stored = bytes.get(header.pixels..).unwrap_or_default();
    let mut rows = Rows { header, stored, out };
    match header.samples {
        Samples::Indices { bits, colors } => {
            let palette = palette(colors, bytes);
            rows.convert(bits.into(), |row, line| palette.paint(line, |x| packed(row, bits.into(), x)))
        }
        Samples::Packed { green } => rows.convert(16, |row, line| {
            let (row, _) = row.as_chunks::<2>();
            for (pixel, stored) in line.as_chunks_mut::<{ Rgb8::CHANNELS }>().0.iter_mut().zip(row) {
                *pixel = unpack(u16::from_le_bytes(*stored), green);
            }
        }),
        Samples::Bytes { step, places } => {
            let (step, places) = (usize::from(step), places.map(usize::from));
            rows.convert(step * 8, |row, line| {
                let pixels = line.as_chunks_mut::<{ Rgb8::CHANNELS }>().0;
                for (pixel, stored) in pixels.iter_mut().zip(row.chunks_exact(step)) {
                    *pixel = places.map(|place| stored[place]);
                }
            })
        }
        Samples::Runs { fours, colors } => {
            let palette = palette(colors, bytes);
            let pixels = header.size.pixels() as usize;
            let width = header.size.width as usize;
            let mut runs = Runs::new(bytes, header.pixels, fours, width, pixels);
            let done = runs.read(|at, index| rows.set(at, palette.color(index)));
            if done == pixels { Ok(()) } else { Err(short()) }
        }
    }
}

/// Where rows come from, and where they go.
struct Rows<'a> {
    header: &'a Bitmap,
    stored: &'a [u8],
    out: &'a mut [u8],
}

// === impl Rows ===

impl Rows<'_> {
    /// Converts each row, of so many bits a pixel.
    fn convert(&mut self, bits: usize, row: impl Fn(&[u8], &mut [u8])) -> Result<(), ImageError> {
        let (width, height) = (self.header.size.width as usize, self.header.size.height as usize);
        let length = (width * bits).div_ceil(8);
        let stride = length.next_multiple_of(4);
        for y in 0..height {
            // The last row need not be padded.
            let stored = self.stored.get(y * stride..y * stride + length).ok_or_else(short)?;
            row(stored, &mut self.out[self.header.line(y) * width * Rgb8::CHANNELS..][..width * Rgb8::CHANNELS]);
        }
        Ok(())
    }

    /// Gives the pixel at a place in the order of storage its colour.
    fn set(&mut self, at: usize, color: [u8; 3]) {
        let width = self.header.size.width as usize;
        let place = self.header.line(at / width) * width + at % width;
        self.out[place * Rgb8::CHANNELS..][..Rgb8::CHANNELS].copy_from_slice(&color);
    }
}

// === impl Bitmap ===

impl Bitmap {
    /// Where the row that is stored as the `y`th is in the photo, counted from the top.
    fn line(&self, y: usize) -> usize {
        if self.from_top { y } else { self.size.height as usize - 1 - y }
    }
}

/// The palette, of which the end of the file may have cut off colours.
fn palette(colors: Colors, bytes: &[u8]) -> Palette {
    let stored = bytes.get(colors.at..).unwrap_or_default();
    let whole = stored.chunks_exact(colors.step).take(colors.count);
    Palette::new(whole.map(|color| [color[2], color[1], color[0]]))
}

fn unpack(pixel: u16, green: u8) -> [u8; 3] {
    let scale = |shift: u8, bits: u8| {
        let most = (1_u32 << bits) - 1;
        ((u32::from(pixel) >> shift & most) * 255 / most) as u8
    };
    [scale(5 + green, 5), scale(5, green), scale(0, 5)]
}

fn short() -> ImageError {
    malformed("it ends before its last pixel")
}
