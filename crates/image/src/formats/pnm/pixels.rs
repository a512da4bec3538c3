//! The pixels of a PNM.

use super::header::{Netpbm, Samples, Scale, malformed};
use super::tokens::Tokens;
use crate::error::ImageError;
use crate::formats::grey;
use crate::rgb::Rgb8;

/// Decodes the whole photo into `out`, which has the size in the header.
pub(crate) fn decode(header: &Netpbm, bytes: &[u8], out: &mut [u8]) -> Result<(), ImageError> {
    let stored = bytes.get(header.pixels..).unwrap_or_default();
    let width = header.size.width as usize;
    match header.samples {
        Samples::PlainBits => plain_bits(Tokens::new(bytes, header.pixels), out),
        Samples::Plain(scale) => plain(Tokens::new(bytes, header.pixels), scale, out),
        Samples::Bits => {
            let stride = width.div_ceil(8);
            let stored = whole(stored, stride * header.size.height as usize)?;
            for (row, line) in stored.chunks_exact(stride).zip(out.chunks_exact_mut(width * Rgb8::CHANNELS)) {
                grey::spread(line, |x| if row[x / 8] << (x % 8) & 0x80 == 0 { 255 } else { 0 });
            }
            Ok(())
        }
        Samples::Binary(scale) => binary(stored, scale, out),
        Samples::Floats { big_endian } => {
            let stored = whole(stored, out.len() / Rgb8::CHANNELS * 4)?;
            let read = if big_endian { f32::from_be_bytes } else { f32::from_le_bytes };
            let rows = stored.chunks_exact(width * 4).rev();
            for (row, line) in rows.zip(out.chunks_exact_mut(width * Rgb8::CHANNELS)) {
                let (row, _) = row.as_chunks::<4>();
                grey::spread(line, |x| grey::of_float(read(row[x])));
            }
            Ok(())
        }
    }
}

fn binary(stored: &[u8], scale: Scale, out: &mut [u8]) -> Result<(), ImageError> {
    let samples = if scale.color { out.len() } else { out.len() / Rgb8::CHANNELS };
    if scale.white <= 255 {
        let stored = whole(stored, samples)?;
        let levels = Levels::new(scale);
        return match scale.color {
            true if scale.white == 255 => {
                out.copy_from_slice(stored);
                Ok(())
            }
            true => {
                out.iter_mut().zip(stored).for_each(|(out, byte)| *out = levels.of(u16::from(*byte)));
                Ok(())
            }
            false => {
                grey::spread(out, |at| levels.of(u16::from(stored[at])));
                Ok(())
            }
        };
    }
    let (stored, _) = whole(stored, samples * 2)?.as_chunks::<2>();
    let levels = Levels::new(scale);
    let level = |at: usize| levels.of(u16::from_be_bytes(stored[at]));
    match scale.color {
        true => out.iter_mut().enumerate().for_each(|(at, out)| *out = level(at)),
        false => grey::spread(out, level),
    }
    Ok(())
}

fn plain_bits(mut tokens: Tokens<'_>, out: &mut [u8]) -> Result<(), ImageError> {
    let (pixels, _) = out.as_chunks_mut::<{ Rgb8::CHANNELS }>();
    let mut pixels = pixels.iter_mut();
    // What is behind the last pixel must be bits too: Pillow looks at it before it counts.
    while let Some(byte) = tokens.solid() {
        let level = match byte {
            b'0' => 255,
            b'1' => 0,
            _ => return Err(malformed("its pixels are not all 0 and 1")),
        };
        if let Some(pixel) = pixels.next() {
            *pixel = [level; Rgb8::CHANNELS];
        }
    }
    if pixels.len() > 0 { Err(short()) } else { Ok(()) }
}

fn plain(mut tokens: Tokens<'_>, scale: Scale, out: &mut [u8]) -> Result<(), ImageError> {
    let levels = Levels::new(scale);
    let mut next = || {
        let word = tokens.word().ok_or_else(short)?;
        let value = word.number().filter(|value| *value <= scale.white);
        Ok(levels.of(value.ok_or_else(|| malformed("a number of its pixels is above its white, or is none"))?))
    };
    for pixel in out.as_chunks_mut::<{ Rgb8::CHANNELS }>().0 {
        *pixel = match scale.color {
            true => [next()?, next()?, next()?],
            false => [next()?; Rgb8::CHANNELS],
        };
    }
    Ok(())
}

/// What levels the numbers of a PNM are.
struct Levels {
    white: f64,
    /// The level of white before it is clipped to a byte.
    most: f64,
}

// === impl Levels ===

impl Levels {
    fn new(scale: Scale) -> Self {
        let most = if scale.white > 255 && !scale.color { 65535.0 } else { 255.0 };
        Self { white: f64::from(scale.white), most }
    }

    fn of(&self, value: u16) -> u8 {
        (f64::from(value) / self.white * self.most).round_ties_even().min(255.0) as u8
    }
}

/// The first `length` bytes of the pixels.
fn whole(stored: &[u8], length: usize) -> Result<&[u8], ImageError> {
    stored.get(..length).ok_or_else(short)
}

fn short() -> ImageError {
    malformed("it ends before its last pixel")
}
