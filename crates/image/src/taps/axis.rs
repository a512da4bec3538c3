//! One axis of a resize: which source pixels its filter reaches for each output pixel.

use headwater_types::recipe::Interpolation;

/// One axis of a resize: `from..to` of `input` pixels is mapped onto `whole` pixels, of which `output` are computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    pub(crate) input: u32,
    /// Pillow holds the edges of its box in f32.
    pub(crate) from: f32,
    pub(crate) to: f32,
    pub(crate) whole: u32,
    /// The first output pixel that is computed. Output pixels are counted from it.
    pub(crate) first: u32,
    pub(crate) output: u32,
    pub(crate) filter: Interpolation,
}

/// The source pixels of one output pixel: `count` of them from `start` on. An axis counts from its own first pixel, and
/// [`Taps`](super::Taps) count from the first pixel that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) count: u32,
}

// === impl Axis ===

impl Axis {
    /// The first source pixel that is read, and the one behind the last.
    pub(crate) fn range(&self) -> (u32, u32) {
        let last = self.span(self.output - 1);
        (self.span(0).start, last.start + last.count)
    }

    fn scale(&self) -> f64 {
        f64::from(self.to - self.from) / f64::from(self.whole)
    }

    /// The factor by which the filter is stretched over source pixels. It is at least 1, so that enlarging
    /// interpolates.
    pub(super) fn stretch(&self) -> f64 {
        self.scale().max(1.0)
    }

    /// Half the width of the stretched filter, in source pixels.
    fn support(&self) -> f64 {
        reach(self.filter) * self.stretch()
    }

    pub(super) fn center(&self, index: u32) -> f64 {
        f64::from(self.from) + (f64::from(self.first + index) + 0.5) * self.scale()
    }

    /// The source pixels of an output pixel.
    pub(crate) fn span(&self, index: u32) -> Span {
        let (center, support) = (self.center(index), self.support());
        // `as` saturates at 0, where C would have to be told.
        let start = ((center - support + 0.5) as u32).min(self.input - 1);
        let end = ((center + support + 0.5) as u32).clamp(start + 1, self.input);
        Span { start, count: end - start }
    }
}

/// How far a filter reaches to each side: Pillow's `support`.
fn reach(filter: Interpolation) -> f64 {
    match filter {
        Interpolation::Bilinear => 1.0,
        Interpolation::Bicubic => 2.0,
    }
}

/// A filter's value at a distance of at least 0, by Pillow's own steps: its weights are rounded, and each bit counts.
pub(super) fn weight_at(filter: Interpolation, x: f64) -> f64 {
    /// Keys' a.
    const A: f64 = -0.5;
    match filter {
        Interpolation::Bilinear => (1.0 - x).max(0.0),
        Interpolation::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        Interpolation::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
        Interpolation::Bicubic => 0.0,
    }
}
