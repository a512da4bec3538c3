//! Which blocks a window's pixels are made from, and how the samples of a plane become as many as there are pixels.
//!
//! Invariant: the rules are libjpeg's for a whole photo (`jdmaster.c`, `jdsample.c`), so that a window is cut out of
//! it.

use std::ops::Range;

use headwater_types::{PixelBox, Scale, Size};

use super::source::Source;

/// A window of a photo at a scale.
pub(super) struct Window {
    /// The pixels of the window.
    pub(super) pixels: PixelBox,
    /// Size of the whole photo at the scale.
    size: Size,
    /// The MCUs of a row, and the rows of MCUs, that the pixels are made from.
    pub(super) columns: Range<usize>,
    pub(super) rows: Range<usize>,
    /// The shapes of the window's planes.
    pub(super) planes: Vec<Shape>,
    /// Rows of pixels in a row of MCUs.
    height: usize,
}

/// How many samples of a plane are made, and how they become pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Samples of a block, across and down.
    pub(super) side: usize,
    /// Blocks of an MCU across and down.
    pub(super) blocks: (usize, usize),
    /// Samples of the whole plane across and down.
    pub(super) size: (usize, usize),
    /// Pixels that a sample stands for, across and down.
    pub(super) expansion: (usize, usize),
    /// Whether samples are interpolated, across and down; elsewhere they are repeated.
    pub(super) smooth: (bool, bool),
}

// === impl Window ===

impl Window {
    /// A window of at least the pixels of `wanted`. It begins at an even pixel, because two pixels share a sample of
    /// chroma.
    pub(super) fn new(source: &Source, scale: Scale, wanted: PixelBox) -> Option<Self> {
        let size = scale.size(source.size);
        let planes = Shape::all(source, usize::from(scale.eighths()));
        let luma = *planes.first()?;
        let x = wanted.x & !1;
        let pixels = PixelBox { x, width: wanted.x + wanted.width - x, ..wanted };
        if !wanted.lies_in(size) || wanted.width == 0 || wanted.height == 0 {
            return None;
        }
        let place = |start: u32, length: u32| start as usize..(start + length) as usize;
        let (across, down) = (place(pixels.x, pixels.width), place(pixels.y, pixels.height));
        let mcus = |of: fn(&Shape, &Range<usize>) -> Range<usize>, pixels: &Range<usize>| {
            let ranges: Vec<_> = planes.iter().map(|shape| of(shape, pixels)).collect();
            let start = ranges.iter().map(|range| range.start).min()?;
            Some(start..ranges.iter().map(|range| range.end).max()?)
        };
        let (columns, rows) = (mcus(Shape::columns, &across)?, mcus(Shape::rows, &down)?);
        Some(Self { pixels, size, columns, rows, height: luma.blocks.1 * luma.side, planes })
    }

    /// The end of the rows of pixels that can be made when this row of MCUs has been transformed. The last row of
    /// pixels waits where it is made from samples of the next row of MCUs too.
    pub(super) fn ready(&self, row: usize) -> usize {
        let bottom = (self.pixels.y + self.pixels.height) as usize;
        let end = (row + 1) * self.height;
        let waits = end < self.size.height as usize && self.planes.iter().any(|shape| shape.smooth.1);
        bottom.min(end - usize::from(waits))
    }

    /// The number of the first row of pixels in a row of MCUs.
    pub(super) fn top(&self, row: usize) -> usize {
        row * self.height
    }
}

// === impl Shape ===

impl Shape {
    fn all(source: &Source, side: usize) -> Vec<Self> {
        let (widest, tallest) = source.sampling();
        let Size { width, height } = source.size;
        let shape = |blocks: (usize, usize)| {
            // Where samples are few, a block is made larger than the scale asks for, as long as that fits both ways.
            let mut larger = side;
            while larger < 8
                && (widest * side).is_multiple_of(blocks.0 * larger * 2)
                && (tallest * side).is_multiple_of(blocks.1 * larger * 2)
            {
                larger *= 2;
            }
            let size = (
                (width as usize * blocks.0 * larger).div_ceil(widest * 8),
                (height as usize * blocks.1 * larger).div_ceil(tallest * 8),
            );
            let expansion = (widest * side / (blocks.0 * larger), tallest * side / (blocks.1 * larger));
            let smooth = match expansion {
                _ if side == 1 => (false, false),
                (2, down @ (1 | 2)) if size.0 > 2 => (true, down == 2),
                (1, 2) => (false, true),
                _ => (false, false),
            };
            Self { side: larger, blocks, size, expansion, smooth }
        };
        source.components.iter().map(|part| shape(part.blocks)).collect()
    }

    /// The MCUs of a row that pixels are made from.
    fn columns(&self, pixels: &Range<usize>) -> Range<usize> {
        let samples = from(pixels, self.expansion.0, self.smooth.0, self.size.0);
        let mcu = self.blocks.0 * self.side;
        samples.start / mcu..samples.end.div_ceil(mcu)
    }

    fn rows(&self, pixels: &Range<usize>) -> Range<usize> {
        let samples = from(pixels, self.expansion.1, self.smooth.1, self.size.1);
        let mcu = self.blocks.1 * self.side;
        samples.start / mcu..samples.end.div_ceil(mcu)
    }
}

fn from(pixels: &Range<usize>, expansion: usize, smooth: bool, whole: usize) -> Range<usize> {
    let more = usize::from(smooth);
    (pixels.start / expansion).saturating_sub(more)..(pixels.end.div_ceil(expansion) + more).min(whole)
}
