//! Pillow's antialiased `resize`, bilinear or bicubic, to the last bit.
//!
//! A horizontal pass, rounded to 8 bits, then a vertical one (or the other way round), both in fixed point with 22
//! fraction bits (Pillow, `libImaging/Resample.c`). Integers throughout, so that every machine and instruction set
//! gives the same bits.
//!
//! Why not a resize crate: `fast_image_resize` is 0.16 levels off Pillow on average and chooses its arithmetic by
//! instruction set. Here the instruction set changes only how the same sums are computed ([`crate::kernel`]).
//! `examples/resample.rs` compares the two.

#[cfg(test)]
pub(crate) mod tests;

use std::array;

use headwater_types::framing::CutFrom;
use headwater_types::{Framing, PixelBox, Position, Size};

use crate::kernel::{self, Across, OVERREAD, ROWS};
use crate::level::Level;
use crate::rgb::CHANNELS;
use crate::room::room;
use crate::taps::{self, Axis, Pair, Span, Taps};

/// Resamples pictures, one after another, in the same buffers.
#[derive(Default)]
pub(crate) struct Resampler {
    level: Level,
    across: Across,
    down: Taps,
    /// Rows between the passes.
    between: Vec<u8>,
    /// Copies of rows at the very end of the source.
    padded: Vec<u8>,
    /// Rows of the result: one, or as many as the horizontal pass makes at once.
    finished: Vec<u8>,
}

/// Pixels of a photo to read from: all of them, or a window that holds at least [`pixels_read`].
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    /// RGB, `size.height` rows of `size.width`.
    pub(crate) pixels: &'a [u8],
    pub(crate) size: Size,
    /// Where in the photo the first pixel lies.
    pub(crate) origin: Position,
}

/// The box of pixels that this framing reads, in the photo's coordinates. Pixels outside need not be there.
pub(crate) fn pixels_read(framing: &Framing) -> PixelBox {
    let (across, down) = axes(framing);
    let ((left, right), (top, bottom)) = (across.range(), down.range());
    PixelBox { x: framing.readable.x + left, y: framing.readable.y + top, width: right - left, height: bottom - top }
}

/// The two axes, in pixels of the readable box.
fn axes(framing: &Framing) -> (Axis, Axis) {
    let Framing { readable, output, interpolation: filter, .. } = *framing;
    let CutFrom { region, size: whole, corner } = cut_from(framing);
    let axis = |start: f64, length: f64, offset: u32, input: u32, whole: u32, first: u32, output: u32| {
        let edge = |position: f64| ((position - f64::from(offset)) as f32).clamp(0.0, input as f32);
        Axis { input, from: edge(start), to: edge(start + length), whole, first, output, filter }
    };
    (
        axis(region.x, region.width, readable.x, readable.width, whole.width, corner.x, output.width),
        axis(region.y, region.height, readable.y, readable.height, whole.height, corner.y, output.height),
    )
}

/// The whole that is resized, of which the output is a part or all.
fn cut_from(framing: &Framing) -> CutFrom {
    let Framing { region, output: size, cut_from, .. } = *framing;
    cut_from.unwrap_or(CutFrom { region, size, corner: Position::default() })
}

/// Whether the vertical pass comes first, which the rounding between the passes makes visible. Pillow 12 and later put
/// it first where that saves much work.
fn vertical_first(framing: &Framing) -> bool {
    let (readable, whole) = (framing.readable, cut_from(framing).size);
    let lower = i64::from(readable.height) - i64::from(whole.height);
    let narrower = i64::from(readable.width) - i64::from(whole.width);
    lower > 0 && lower > 2 * narrower
}

// === impl Source ===

impl<'a> Source<'a> {
    /// All pixels of a photo.
    pub(crate) fn whole(pixels: &'a [u8], size: Size) -> Self {
        Self { pixels, size, origin: Position::default() }
    }
}

// === impl Resampler ===

impl Resampler {
    /// A resampler that computes with the instructions of a level.
    pub(crate) fn at(level: Level) -> Self {
        Self { level, across: Across::at(level), ..Self::default() }
    }

    /// Cuts and resizes as `framing` says (its flip is not made here) into `out`, u8 `[height, width, 3]` of its
    /// output.
    pub(crate) fn resample(&mut self, source: Source<'_>, framing: &Framing, out: &mut [u8]) {
        let length = framing.output.width as usize * CHANNELS;
        self.rows(source, framing, |y, row| out[y * length..][..length].copy_from_slice(row));
    }

    /// Cuts and resizes row by row from the top: `each` gets a row's number and its pixels, while they are still in the
    /// nearest cache.
    pub(crate) fn rows(&mut self, source: Source<'_>, framing: &Framing, each: impl FnMut(usize, &[u8])) {
        let output = framing.output;
        let (across, down) = axes(framing);
        let read = pixels_read(framing);
        self.across.set(&across);
        self.down.set(&down);
        let stride = source.size.width as usize * CHANNELS;
        let (left, top) = (read.x - source.origin.x, read.y - source.origin.y);
        let corner = top as usize * stride + left as usize * CHANNELS;
        let source = Rows { pixels: &source.pixels[corner..], stride, count: read.height as usize };
        let width = read.width as usize;
        if vertical_first(framing) {
            self.vertical_first(source, width, output, each);
        } else {
            self.horizontal_first(source, width, output, each);
        }
    }

    fn horizontal_first(&mut self, source: Rows<'_>, width: usize, output: Size, mut each: impl FnMut(usize, &[u8])) {
        let (length, stride) = (output.width as usize * CHANNELS, kernel::padded_row(output.width as usize));
        let between = room(&mut self.between, source.count.next_multiple_of(ROWS) * stride);
        for (block, out) in between.chunks_exact_mut(stride * ROWS).enumerate() {
            horizontal(source, block * ROWS, width, &self.across, &mut self.padded, out, stride);
        }
        let between = Rows { pixels: between, stride, count: source.count };
        let finished = room(&mut self.finished, length);
        for (y, (span, pairs)) in self.down.iter().enumerate() {
            vertical(self.level, between, span, pairs, finished);
            each(y, finished);
        }
    }

    fn vertical_first(&mut self, source: Rows<'_>, width: usize, output: Size, mut each: impl FnMut(usize, &[u8])) {
        let (length, stride) = (output.width as usize * CHANNELS, kernel::padded_row(output.width as usize));
        let (row, height) = (width * CHANNELS, output.height as usize);
        let between = room(&mut self.between, ROWS * row + OVERREAD);
        let finished = room(&mut self.finished, ROWS * stride);
        for first in (0..height).step_by(ROWS) {
            let count = ROWS.min(height - first);
            for (y, out) in (first..first + count).zip(between.chunks_exact_mut(row)) {
                let (span, pairs) = self.down.at(y);
                vertical(self.level, source, span, pairs, out);
            }
            let between = Rows { pixels: between, stride: row, count };
            horizontal(between, 0, width, &self.across, &mut self.padded, finished, stride);
            for (y, row) in (first..first + count).zip(finished.chunks_exact(stride)) {
                each(y, &row[..length]);
            }
        }
    }
}

/// Rows of pixels, `stride` bytes apart.
#[derive(Clone, Copy)]
struct Rows<'a> {
    pixels: &'a [u8],
    stride: usize,
    count: usize,
}

/// Resamples [`ROWS`] rows of `width` pixels, from row `first` on, into rows of `out`, which are `stride` bytes apart.
fn horizontal(
    rows: Rows<'_>,
    first: usize,
    width: usize,
    across: &Across,
    padded: &mut Vec<u8>,
    out: &mut [u8],
    stride: usize,
) {
    // Where rows run out, the last one is taken again: its result has room, and is not read.
    let inputs: [&[u8]; ROWS] = array::from_fn(|i| &rows.pixels[(first + i).min(rows.count - 1) * rows.stride..]);
    if across.copies() {
        let length = across.taps().len() * CHANNELS;
        for (row, out) in inputs.iter().zip(out.chunks_exact_mut(stride)) {
            out[..length].copy_from_slice(&row[..length]);
        }
        return;
    }
    let length = width * CHANNELS;
    if inputs.iter().all(|row| row.len() >= length + OVERREAD) {
        return across.resample(inputs, out, stride);
    }
    // At the very end of the photo nothing can be read behind a row: work on copies.
    padded.clear();
    for row in inputs {
        padded.extend_from_slice(&row[..length]);
        padded.extend_from_slice(&[0; OVERREAD]);
    }
    across.resample(array::from_fn(|i| &padded[i * (length + OVERREAD)..]), out, stride);
}

/// Makes one row, `out`, from several.
fn vertical(level: Level, rows: Rows<'_>, span: Span, pairs: &[Pair], out: &mut [u8]) {
    if let Some(row) = taps::copied(span, pairs) {
        out.copy_from_slice(&rows.pixels[row as usize * rows.stride..][..out.len()]);
    } else {
        let column = &rows.pixels[span.start as usize * rows.stride..];
        kernel::vertical(level, column, rows.stride, span.count as usize, pairs, out);
    }
}
