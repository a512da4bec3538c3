//! How a JPEG is divided: into MCUs, the smallest pieces that are coded, and into strips of MCUs between restart
//! markers. A grid tells which strips cover a box and the neighbours that its pixels are made from.

use std::ops::Range;

use headwater_types::{PixelBox, Size};

/// The MCUs of a picture in one scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    /// Size of the picture in pixels.
    pub(crate) size: Size,
    /// Size of an MCU in pixels.
    pub(crate) mcu: Size,
    /// Size of the picture in MCUs.
    pub(crate) mcus: Size,
    /// Pixels to each side of a box that the box's own are made from.
    reach: Size,
}

/// The strips that cover a box: the rows of MCUs, and the strips of each row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cover {
    pub(super) rows: Range<u32>,
    pub(super) strips: Range<u32>,
    /// The pixels of the strips.
    pub(super) pixels: PixelBox,
}

/// Side of a block of coefficients, in samples.
const BLOCK: u32 = 8;
/// Most blocks in an MCU, by the standard.
const MCU_BLOCKS: u32 = 10;

// === impl Grid ===

impl Grid {
    /// The grid of components with these sampling factors. `None` where a factor is no whole fraction of another, which
    /// libjpeg does not decode, or where an MCU would have too many blocks.
    pub(crate) fn new(size: Size, sampling: &[(u8, u8)]) -> Option<Self> {
        let widest = sampling.iter().map(|s| s.0).max()?;
        let tallest = sampling.iter().map(|s| s.1).max()?;
        let whole = sampling.iter().all(|s| s.0 > 0 && s.1 > 0 && widest % s.0 == 0 && tallest % s.1 == 0);
        let blocks: u32 = sampling.iter().map(|s| u32::from(s.0) * u32::from(s.1)).sum();
        if !whole || sampling.len() > 1 && blocks > MCU_BLOCKS {
            return None;
        }
        // The blocks of a component that is alone in its scan are coded one by one, whatever its factors.
        let (across, down) = if sampling.len() == 1 { (1, 1) } else { (widest.into(), tallest.into()) };
        let mcu = Size { width: BLOCK * across, height: BLOCK * down };
        let mcus = Size { width: size.width.div_ceil(mcu.width), height: size.height.div_ceil(mcu.height) };
        // libjpeg interpolates between samples where there are half as many as pixels, in either direction, and repeats
        // samples where there are fewer. A neighbouring sample is needed for the nearer one of its two pixels only: one
        // pixel of reach.
        let halved = |full: u8, part: fn(&(u8, u8)) -> u8| u32::from(sampling.iter().any(|s| part(s) * 2 == full));
        let reach = Size { width: halved(widest, |s| s.0), height: halved(tallest, |s| s.1) };
        Some(Self { size, mcu, mcus, reach })
    }

    /// The strips of `interval` MCUs, a divisor of a row's, that are needed for `wanted`: decoded without the other
    /// strips, the pixels of `wanted` are the same.
    pub(super) fn cover(&self, wanted: PixelBox, interval: u32) -> Cover {
        let strip = interval * self.mcu.width;
        let (rows, _) = span(wanted.y, wanted.height, self.reach.height, self.mcu.height, self.size.height);
        let (mut strips, right) = span(wanted.x, wanted.width, self.reach.width, strip, self.size.width);
        // libjpeg does not interpolate rows of less than three samples: no piece may be so narrow, unless the picture
        // is.
        if right - strips.start * strip < self.mcu.width {
            strips.start = strips.start.saturating_sub(1);
        }
        let (x, y) = (strips.start * strip, rows.start * self.mcu.height);
        let bottom = (rows.end * self.mcu.height).min(self.size.height);
        Cover { rows, strips, pixels: PixelBox { x, y, width: right - x, height: bottom - y } }
    }
}

/// The pieces of `piece` pixels that cover `length` pixels from `start` on and `reach` more to each side; and the end
/// of the last piece.
fn span(start: u32, length: u32, reach: u32, piece: u32, whole: u32) -> (Range<u32>, u32) {
    let first = start.saturating_sub(reach) / piece;
    let end = (start + length + reach).min(whole).div_ceil(piece);
    (first..end, (end * piece).min(whole))
}
