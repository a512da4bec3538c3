//! The samples of a row of MCUs, and the pixels that are made from them.
//!
//! ```text
//! row 0      the last of the row of MCUs above
//! row 1 ..   those of this one
//! ```

use super::reader::{Reader, Store};
use super::source::{Color, Source};
use super::window::{Shape, Window};
use crate::formats::jpeg::samples::{Coefficients, MORE_SAMPLES, Samples, inverse, pixels};
use crate::level::Level;

/// Buffers of samples.
#[derive(Default)]
pub(super) struct Planes {
    planes: [Vec<u8>; 3],
    /// Rows of chroma that were made as long as luma's.
    long: [Vec<u8>; 2],
    /// Bytes of a row of samples in each plane.
    strides: [usize; 3],
}

/// Bytes before the first sample of a row: for a neighbour on its left.
const MARGIN: usize = 64;

// === impl Planes ===

impl Planes {
    /// Makes room for the planes of a window.
    pub(super) fn set(&mut self, window: &Window) {
        let planes = self.planes.iter_mut().zip(&mut self.strides).zip(&window.planes);
        for ((plane, stride), shape) in planes {
            *stride = MARGIN + window.columns.len() * shape.blocks.0 * shape.side + 2 * MORE_SAMPLES;
            let length = *stride * (1 + shape.blocks.1 * shape.side);
            if plane.len() < length {
                plane.resize(length, 0);
            }
        }
        let length = window.pixels.width as usize + MORE_SAMPLES;
        for row in &mut self.long {
            if row.len() < length {
                row.resize(length, 0);
            }
        }
    }

    /// Transforms a row of MCUs, which is number `within` of those in the store.
    pub(super) fn transform(
        &mut self,
        level: Level,
        source: &Source,
        window: &Window,
        reader: &Reader<'_>,
        (store, within): (&Store, usize),
    ) {
        let (across, _) = source.mcus();
        let mut base = within * reader.row_blocks;
        for (number, (part, shape)) in source.components.iter().zip(&window.planes).enumerate() {
            let (plane, stride) = (&mut self.planes[number], self.strides[number]);
            let (width, height) = shape.blocks;
            let rows = height * shape.side;
            plane.copy_within(rows * stride..(rows + 1) * stride, 0);
            for y in 0..height {
                let first = base + (y * across + window.columns.start) * width;
                let (values, last) = store.blocks(first, window.columns.len() * width);
                let blocks = Coefficients { values, last, quantisation: &part.quantisation };
                inverse(level, shape.side, blocks, &mut plane[(1 + y * shape.side) * stride + MARGIN..], stride);
            }
            if shape.smooth.0 {
                let first = window.columns.start * width * shape.side;
                plane.chunks_exact_mut(stride).skip(1).take(rows).for_each(|row| repeat_edges(row, first, shape));
            }
            base += width * height * across;
        }
    }

    /// Makes row `y` of the pixels, where row `mcu` of the MCUs was transformed last.
    pub(super) fn pixels(&mut self, level: Level, color: Color, window: &Window, mcu: usize, y: usize, out: &mut [u8]) {
        let x = window.pixels.x as usize;
        let top = window.top(mcu);
        let Self { planes: [luma, blue, red], long, strides } = self;
        let luma_shape = &window.planes[0];
        let first = window.columns.start * luma_shape.blocks.0 * luma_shape.side;
        let luma = &luma[(y + 1 - top) * strides[0] + MARGIN + x - first..];
        let (Some(shape), chroma) = (window.planes.get(1), [(&*blue, strides[1]), (&*red, strides[2])]) else {
            return pixels(level, &Samples::Grey(luma), out);
        };
        // Row and column of the window's first sample of chroma; the row above the MCUs is row 0.
        let column = MARGIN + x / shape.expansion.0 - window.columns.start * shape.blocks.0 * shape.side;
        let above = top / shape.expansion.1;
        let near = y / shape.expansion.1;
        let far = match shape.smooth.1 {
            false => near,
            true if y.is_multiple_of(2) => near.saturating_sub(1),
            true => (near + 1).min(shape.size.1 - 1),
        };
        let row = |number: usize, left: usize| {
            chroma.map(|(plane, stride)| &plane[(number + 1 - above) * stride + column - left..])
        };
        match (color, shape.expansion, shape.smooth) {
            (Color::Rgb, ..) => {
                let [green, blue] = row(near, 0);
                pixels(level, &Samples::Rgb([luma, green, blue]), out);
            }
            (_, (1, 1), _) => pixels(level, &Samples::YCbCr { y: luma, chroma: row(near, 0) }, out),
            (_, (2, 1), (true, _)) => pixels(level, &Samples::Halved { y: luma, chroma: row(near, 1) }, out),
            (_, (2, 2), (true, true)) => {
                let ([blue, red], [far_blue, far_red]) = (row(near, 1), row(far, 1));
                let chroma = [[blue, far_blue], [red, far_red]];
                pixels(level, &Samples::Quartered { y: luma, chroma }, out);
            }
            (_, _, (_, smooth)) => {
                let width = window.pixels.width as usize;
                let (near, far) = (row(near, 0), row(far, 0));
                for (long, (near, far)) in long.iter_mut().zip(near.into_iter().zip(far)) {
                    if smooth {
                        between(near, far, 1 + (y % 2) as u16, &mut long[..width]);
                    } else {
                        repeat(near, x % shape.expansion.0, shape.expansion.0, &mut long[..width]);
                    }
                }
                pixels(level, &Samples::YCbCr { y: luma, chroma: [&long[0], &long[1]] }, out);
            }
        }
    }

    /// Gives the memory back where it is more than `most` bytes.
    pub(super) fn trim(&mut self, most: usize) {
        if self.planes.iter().map(Vec::capacity).sum::<usize>() > most {
            *self = Self::default();
        }
    }
}

/// Gives the photo's first and last sample in a row neighbours of the same value, where the row has those samples.
fn repeat_edges(row: &mut [u8], first: usize, shape: &Shape) {
    if first == 0 {
        row[MARGIN - 1] = row[MARGIN];
    }
    let end = MARGIN + shape.size.0 - first;
    if let Some(behind) = row.get(end).and(row.get(end - 1)).copied() {
        row[end] = behind;
    }
}

/// Interpolates between rows: libjpeg's `h1v2_fancy_upsample`.
fn between(near: &[u8], far: &[u8], rounding: u16, out: &mut [u8]) {
    for ((near, far), out) in near.iter().zip(far).zip(out) {
        *out = ((u16::from(*near) * 3 + u16::from(*far) + rounding) / 4) as u8;
    }
}

/// Repeats samples, from pixel `skipped` of the first one on: libjpeg's `int_upsample`.
fn repeat(samples: &[u8], skipped: usize, times: usize, out: &mut [u8]) {
    for (i, out) in out.iter_mut().enumerate() {
        *out = samples[(skipped + i) / times];
    }
}
