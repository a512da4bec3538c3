//! How a JPEG is divided: into MCUs, the smallest pieces that can be coded alone, and those into strips between restart
//! markers. Which of them cover a box, and what around it its pixels are made from.

use std::ops::Range;

use headwater_types::{PixelBox, Size};

/// The MCUs of a picture in one scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    /// Pixels of the picture.
    pub(crate) size: Size,
    /// Pixels of an MCU.
    pub(crate) mcu: Size,
    /// MCUs of the picture.
    pub(crate) mcus: Size,
    /// Pixels to each side of a box that its own are made from.
    reach: Size,
}

/// The strips that cover a box: rows of MCUs, and strips of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cover {
    pub(super) rows: Range<u32>,
    pub(super) strips: Range<u32>,
    /// Their pixels.
    pub(super) pixels: PixelBox,
}

/// Side of a block of coefficients, in samples.
const BLOCK: u32 = 8;
/// Most blocks in an MCU, by the standard.
const MCU_BLOCKS: u32 = 10;

// === impl Grid ===

impl Grid {
    /// For components with these sampling factors; `None` where one is no whole fraction of another, which libjpeg does
    /// not decode, or an MCU would have too many blocks.
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
        // libjpeg interpolates from the next sample where there are half as many, in either direction, and repeats samples
        // where there are fewer. A sample more is then a pixel more: the other of its two is not asked for.
        let halved = |full: u8, part: fn(&(u8, u8)) -> u8| u32::from(sampling.iter().any(|s| part(s) * 2 == full));
        let reach = Size { width: halved(widest, |s| s.0), height: halved(tallest, |s| s.1) };
        Some(Self { size, mcu, mcus, reach })
    }

    /// The strips of `interval` MCUs, a divisor of those of a row, that `wanted` takes. The pixels of `wanted` come out
    /// the same when they are decoded without the others.
    pub(super) fn cover(&self, wanted: PixelBox, interval: u32) -> Cover {
        let strip = interval * self.mcu.width;
        let (rows, _) = span(wanted.y, wanted.height, self.reach.height, self.mcu.height, self.size.height);
        let (mut strips, right) = span(wanted.x, wanted.width, self.reach.width, strip, self.size.width);
        // libjpeg interpolates no row of less than three samples: no piece may be so narrow, unless the picture is.
        if right - strips.start * strip < self.mcu.width {
            strips.start = strips.start.saturating_sub(1);
        }
        let (x, y) = (strips.start * strip, rows.start * self.mcu.height);
        let bottom = (rows.end * self.mcu.height).min(self.size.height);
        Cover { rows, strips, pixels: PixelBox { x, y, width: right - x, height: bottom - y } }
    }
}

/// Which pieces of `piece` pixels cover so many from `start` on, and `reach` to each side; and where the last one ends.
fn span(start: u32, length: u32, reach: u32, piece: u32, whole: u32) -> (Range<u32>, u32) {
    let first = start.saturating_sub(reach) / piece;
    let end = (start + length + reach).min(whole).div_ceil(piece);
    (first..end, (end * piece).min(whole))
}
