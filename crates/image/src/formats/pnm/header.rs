//! The header of a PNM: what its pixels are, how many, and where they begin.

use headwater_types::{Format, ImageLimits, Size};

use super::tokens::{Tokens, is_space};
use crate::error::ImageError;
use crate::exif::UPRIGHT;
use crate::formats::stored::Stored;
use crate::limits;

/// What the header of a PNM says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Netpbm {
    pub(super) size: Size,
    pub(super) samples: Samples,
    /// Offset of the first pixel.
    pub(super) pixels: usize,
}

/// How the pixels of a PNM are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Samples {
    /// `P1`: digits 0 and 1, of which 1 is black.
    PlainBits,
    /// `P4`: bits, of which 1 is black, in whole bytes a row.
    Bits,
    /// `P2` and `P3`: numbers in decimal digits.
    Plain(Scale),
    /// `P5` and `P6`: numbers of one byte, or of two where the largest is above 255, the higher byte first.
    Binary(Scale),
    /// `Pf`: grey floats of 4 bytes, rows from the bottom.
    Floats {
        /// Whether the higher byte comes first.
        big_endian: bool,
    },
}

/// The range of a PNM's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scale {
    /// Whether a pixel is three numbers instead of one.
    pub(super) color: bool,
    /// The number that means white, 1 to 65535.
    pub(super) white: u16,
}

/// How content begins: `P` and the kind, and a space.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    matches!(bytes, [b'P', b'1'..=b'6' | b'f', space, ..] if is_space(*space))
}

// === impl Netpbm ===

impl Netpbm {
    /// Reads the header, and holds it against the limits. Allocates nothing.
    pub(crate) fn read(bytes: &[u8], limits: &ImageLimits) -> Result<Self, ImageError> {
        let kind = *bytes.get(1).ok_or_else(|| malformed("it ends in its header"))?;
        let mut tokens = Tokens::new(bytes, 3);
        let width = number(&mut tokens)?;
        let size = Size { width, height: number(&mut tokens)? };
        if size.pixels() == 0 {
            return Err(malformed("it is empty"));
        }
        limits::check_size(size, limits)?;
        let samples = match kind {
            b'1' => Samples::PlainBits,
            b'4' => Samples::Bits,
            b'2' => Samples::Plain(scale(&mut tokens, false)?),
            b'3' => Samples::Plain(scale(&mut tokens, true)?),
            b'5' => Samples::Binary(scale(&mut tokens, false)?),
            b'6' => Samples::Binary(scale(&mut tokens, true)?),
            _ => floats(&mut tokens)?,
        };
        Ok(Self { size, samples, pixels: tokens.at })
    }

    /// What every format's header says. Pixels are converted as they are read, so that nothing is held beside them.
    pub(crate) fn stored(&self) -> Stored {
        Stored { size: self.size, orientation: UPRIGHT, memory: 0 }
    }
}

fn number(tokens: &mut Tokens<'_>) -> Result<u32, ImageError> {
    let word = tokens.word().ok_or_else(|| malformed("it ends in its header"))?;
    word.number().ok_or_else(|| malformed("its header has a word that is no number"))
}

fn scale(tokens: &mut Tokens<'_>, color: bool) -> Result<Scale, ImageError> {
    let white = u16::try_from(number(tokens)?).ok().filter(|white| *white > 0);
    Ok(Scale { color, white: white.ok_or_else(|| malformed("its white is not 1 to 65535"))? })
}

/// The sign of a float's scale states the order of bytes; its amount means nothing to a grey level.
fn floats(tokens: &mut Tokens<'_>) -> Result<Samples, ImageError> {
    let word = tokens.word().ok_or_else(|| malformed("it ends in its header"))?;
    let scale = word.number().filter(|scale: &f64| scale.is_finite() && *scale != 0.0);
    let scale = scale.ok_or_else(|| malformed("its scale is no number but 0"))?;
    Ok(Samples::Floats { big_endian: scale > 0.0 })
}

pub(super) fn malformed(reason: impl Into<String>) -> ImageError {
    ImageError::malformed(Format::Pnm, reason)
}
