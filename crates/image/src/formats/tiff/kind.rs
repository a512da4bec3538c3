//! What the samples of a TIFF mean: the table of kinds that Pillow reads.

/// What the samples of a pixel mean. There may be more of them than are named; those are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Grey of 1 to 8 bits.
    Grey { inverted: bool },
    /// Grey of 12, 16 or 32 bits.
    Deep(Number),
    /// Indices of a palette, of 1 to 8 bits.
    Palette,
    /// Red, green and blue of 8 or 16 bits; where they are multiplied by it, alpha too.
    Color { multiplied: bool },
    /// Cyan, magenta, yellow and black of 8 or 16 bits.
    Cmyk,
    /// Luma and chroma of 8 bits, inside a JPEG.
    Luma,
}

/// What deep grey levels are written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Unsigned,
    Signed,
    Float,
}

/// What a directory says of a pixel's samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stated {
    pub(super) photometric: u64,
    /// 1 unsigned, 2 signed, 3 float.
    pub(super) format: u64,
    pub(super) bits: u64,
    pub(super) samples: usize,
    /// How many samples are no colours, and what the first of them is: 0 nothing, 1 alpha that colours are multiplied
    /// by, 2 alpha.
    pub(super) extra: (usize, u64),
    pub(super) big_endian: bool,
    /// Whether the first sample of a byte is in its low bits.
    pub(super) reversed: bool,
}

const WHITE_IS_0: u64 = 0;
const BLACK_IS_0: u64 = 1;
const RGB: u64 = 2;
const PALETTE: u64 = 3;
const CMYK: u64 = 5;
const YCBCR: u64 = 6;

// === impl Kind ===

impl Kind {
    /// The kind of pixels that Pillow takes for this; `None` where it takes none.
    pub(super) fn of(stated: Stated) -> Option<Self> {
        let Stated { photometric, format, bits, samples, extra: (extra, first), big_endian, reversed } = stated;
        let plain = format == 1;
        if samples != extra + colors(photometric) && !(photometric == RGB && samples == 4 && extra == 0) {
            return None;
        }
        match (photometric, extra) {
            (WHITE_IS_0 | BLACK_IS_0, 0) => {
                let inverted = photometric == WHITE_IS_0;
                match (bits, format) {
                    (1 | 2 | 4 | 8, 1) => Some(Self::Grey { inverted }),
                    (8, 2) if !inverted && !reversed => Some(Self::Grey { inverted }),
                    (12, 1) if !inverted && !big_endian && !reversed => Some(Self::Deep(Number::Unsigned)),
                    // One of these may be so, but not two.
                    (16, 1) if [inverted, reversed, big_endian].into_iter().filter(|is| *is).count() < 2 => {
                        Some(Self::Deep(Number::Unsigned))
                    }
                    (16 | 32, 2) if !inverted && !reversed => Some(Self::Deep(Number::Signed)),
                    // Pillow reads these as signed.
                    (32, 1) if !inverted && !big_endian && !reversed => Some(Self::Deep(Number::Signed)),
                    (32, 3) if !reversed => Some(Self::Deep(Number::Float)),
                    _ => None,
                }
            }
            (BLACK_IS_0, 1) if plain && bits == 8 && matches!(first, 0 | 2) && !reversed => {
                Some(Self::Grey { inverted: false })
            }
            (RGB, 0..=3) if plain && color_is_known(bits, extra, first, reversed) => {
                Some(Self::Color { multiplied: extra > 0 && first == 1 })
            }
            (PALETTE, 0) if plain && matches!(bits, 1 | 2 | 4 | 8) => Some(Self::Palette),
            (PALETTE, 1) if plain && bits == 8 && matches!(first, 0 | 2) && !reversed => Some(Self::Palette),
            (CMYK, 0..=2) if plain && first == 0 && !reversed && (bits == 8 || (bits == 16 && extra == 0)) => {
                Some(Self::Cmyk)
            }
            (YCBCR, 0) if plain && bits == 8 && !reversed => Some(Self::Luma),
            _ => None,
        }
    }
}

/// Samples of a pixel that are colours.
fn colors(photometric: u64) -> usize {
    match photometric {
        RGB | YCBCR | 8 => 3,
        CMYK => 4,
        _ => 1,
    }
}

fn color_is_known(bits: u64, extra: usize, first: u64, reversed: bool) -> bool {
    let alpha = match extra {
        0 => true,
        1 => matches!(first, 0..=2) || (first == 999 && bits == 8),
        _ => matches!(first, 0..=2) && bits == 8,
    };
    alpha && matches!(bits, 8 | 16) && (!reversed || (bits == 8 && extra == 0))
}
