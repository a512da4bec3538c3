//! Pillow's antialiased bilinear `resize`, to the last bit.
//!
//! A horizontal pass, rounded to 8 bits, then a vertical one; both in fixed point with 22 fraction bits
//! (Pillow, `libImaging/Resample.c`). Integers throughout, so that every machine and instruction set gives the same bits.
//!
//! Why not a resize crate: `fast_image_resize` is 0.16 levels off Pillow on average and chooses its arithmetic by
//! instruction set. `examples/resample.rs` measures what being exact costs.

mod kernel;
mod taps;

#[cfg(test)]
mod tests;

use headwater_types::{Framing, PixelBox, Size};

use kernel::OVERREAD;
use taps::{Axis, Taps};

const CHANNELS: usize = 3;
/// Rows that the horizontal pass works on at once, so that each weight is fetched once for all of them.
const ROWS_AT_ONCE: usize = 4;

/// Resamples pictures, one after another, in the same buffers.
#[derive(Default)]
pub(crate) struct Resampler {
    across: Taps,
    down: Taps,
    /// Rows between the passes.
    between: Vec<u8>,
    /// A copy of a row at the very end of the source, behind which nothing could be read.
    padded: Vec<u8>,
}

/// RGB pixels to read from; rows below [`rows_read`] may hold anything.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) pixels: &'a [u8],
    pub(crate) size: Size,
}

/// Rows from the top of the photo that this framing reads: those below need not be decoded.
pub(crate) fn rows_read(framing: &Framing) -> u32 {
    let (_, down) = axes(framing);
    let last = down.span(down.output - 1);
    framing.readable.y + last.start + last.count
}

/// The two axes, in pixels of the readable box.
fn axes(framing: &Framing) -> (Axis, Axis) {
    let Framing { readable, region, output, .. } = framing;
    let axis = |start: f64, length: f64, offset: u32, input: u32, output: u32| {
        let edge = |position: f64| ((position - f64::from(offset)) as f32).clamp(0.0, input as f32);
        Axis { input, from: edge(start), to: edge(start + length), output }
    };
    (
        axis(region.x, region.width, readable.x, readable.width, output.width),
        axis(region.y, region.height, readable.y, readable.height, output.height),
    )
}

// === impl Resampler ===

impl Resampler {
    /// Cuts and resizes as `framing` says (its flip is not made here) into `out`, u8 `[height, width, 3]` of its output.
    pub(crate) fn resample(&mut self, source: Source<'_>, framing: &Framing, out: &mut [u8]) {
        let (across, down) = axes(framing);
        self.across.set(&across);
        self.down.set(&down);
        let (first, end) = self.down.range();
        let width = framing.output.width as usize * CHANNELS;
        self.between.resize((end - first) as usize * width, 0);
        let readable = framing.readable;
        self.horizontal(source, PixelBox { y: readable.y + first, height: end - first, ..readable });
        for ((span, pairs), row) in self.down.iter().zip(out.chunks_exact_mut(width)) {
            let rows = &self.between[(span.start - first) as usize * width..];
            if taps::copies_first(pairs) {
                row.copy_from_slice(&rows[..width]);
            } else {
                kernel::vertical(rows, span.count as usize, pairs, row);
            }
        }
    }

    /// Resamples the rows of a box into `between`.
    fn horizontal(&mut self, source: Source<'_>, readable: PixelBox) {
        let stride = source.size.width as usize * CHANNELS;
        let rows = readable.height as usize;
        let width = self.between.len() / rows;
        let corner = readable.y as usize * stride + readable.x as usize * CHANNELS;
        if self.across.copies() {
            let left = corner + self.across.range().0 as usize * CHANNELS;
            for (row, out) in self.between.chunks_exact_mut(width).enumerate() {
                out.copy_from_slice(&source.pixels[left + row * stride..][..width]);
            }
            return;
        }
        let length = readable.width as usize * CHANNELS;
        for (block, out) in self.between.chunks_mut(width * ROWS_AT_ONCE).enumerate() {
            let input = &source.pixels[corner + block * ROWS_AT_ONCE * stride..];
            let readable = (ROWS_AT_ONCE - 1) * stride + length + OVERREAD;
            if out.len() == width * ROWS_AT_ONCE && input.len() >= readable {
                kernel::horizontal::<ROWS_AT_ONCE>(input, stride, &self.across, out);
                continue;
            }
            for (row, out) in out.chunks_exact_mut(width).enumerate() {
                let mut input = &input[row * stride..];
                if input.len() < length + OVERREAD {
                    self.padded.clear();
                    self.padded.extend_from_slice(&input[..length]);
                    self.padded.resize(length + OVERREAD, 0);
                    input = &self.padded;
                }
                kernel::horizontal::<1>(input, stride, &self.across, out);
            }
        }
    }
}
