//! Which source pixels make an output pixel, and with what weight, along one axis.

use headwater_types::recipe::Interpolation;

/// Fraction bits of a weight: Pillow's `PRECISION_BITS`.
pub(crate) const FRACTION_BITS: u32 = 22;
/// Half of the last place, added before the fraction is cut off.
pub(crate) const HALF: i32 = 1 << (FRACTION_BITS - 1);
/// Bits of a weight's low half, see [`Pair`].
pub(crate) const LOW_BITS: u32 = 11;

/// The weights of two neighbouring source pixels, each split as `high x 2^11 + low` with a `low` of at least 0, so that both
/// halves fit in the 16 bits that processors multiply fast. The sums of the halves are put together again without loss. Weights
/// lie between -1/6 and 7/6: a cubic's have a sign, and by the edge, where some are missing, one may be above 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) high: [i16; 2],
    pub(crate) low: [i16; 2],
}

/// The taps of every output pixel.
#[derive(Debug, Default)]
pub(crate) struct Taps {
    made_for: Option<Axis>,
    spans: Vec<Span>,
    pairs: Vec<Pair>,
    /// Pairs set aside for each output pixel: an even number, so that four taps can be taken at once.
    stride: usize,
    weights: Vec<f64>,
}

/// The taps of one output pixel: as many source pixels from `start` on as `count` says. Beyond that, weights are 0. An
/// axis counts from its own first pixel, [`Taps`] from the first that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) count: u32,
}

/// One axis of a resize: `from..to` of `input` pixels is mapped onto `whole` pixels, of which `output` are computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    pub(crate) input: u32,
    /// Pillow holds the edges of its box in f32.
    pub(crate) from: f32,
    pub(crate) to: f32,
    pub(crate) whole: u32,
    /// The first that is computed. Output pixels are counted from it.
    pub(crate) first: u32,
    pub(crate) output: u32,
    pub(crate) filter: Interpolation,
}

// === impl Axis ===

impl Axis {
    /// First source pixel that is read, and the one behind the last.
    pub(crate) fn range(&self) -> (u32, u32) {
        let last = self.span(self.output - 1);
        (self.span(0).start, last.start + last.count)
    }

    fn scale(&self) -> f64 {
        f64::from(self.to - self.from) / f64::from(self.whole)
    }

    /// By how much the filter is stretched over source pixels: it never shrinks, so that enlarging interpolates.
    fn stretch(&self) -> f64 {
        self.scale().max(1.0)
    }

    /// Half the width of the filter, in source pixels.
    fn support(&self) -> f64 {
        reach(self.filter) * self.stretch()
    }

    fn center(&self, index: u32) -> f64 {
        f64::from(self.from) + (f64::from(self.first + index) + 0.5) * self.scale()
    }

    /// The taps of an output pixel.
    pub(crate) fn span(&self, index: u32) -> Span {
        let (center, support) = (self.center(index), self.support());
        // `as` saturates at 0, where C would have to be told.
        let start = ((center - support + 0.5) as u32).min(self.input - 1);
        let end = ((center + support + 0.5) as u32).clamp(start + 1, self.input);
        Span { start, count: end - start }
    }
}

// === impl Taps ===

impl Taps {
    /// Computes the taps of an axis (Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc`), unless they are those of
    /// the last one, which it tells: photos of one size and a recipe without chance have the same.
    pub(crate) fn set(&mut self, axis: &Axis) -> bool {
        if self.made_for.replace(*axis) == Some(*axis) {
            return false;
        }
        let (first, end) = axis.range();
        self.spans.clear();
        self.spans.extend((0..axis.output).map(|index| axis.span(index)));
        let longest = self.spans.iter().map(|span| span.count).max().unwrap_or(0);
        let fours = longest.div_ceil(4);
        self.stride = 2 * fours as usize;
        self.pairs.clear();
        self.pairs.resize(self.spans.len() * self.stride, Pair::default());
        // The last taps start earlier, with weights of 0, so that all can be read to their full length.
        let latest = (end - first).saturating_sub(4 * fours);
        let inverse = 1.0 / axis.stretch();
        for ((index, span), pairs) in (0..).zip(&mut self.spans).zip(self.pairs.chunks_exact_mut(self.stride.max(1))) {
            let center = axis.center(index);
            self.weights.clear();
            self.weights.extend((span.start..span.start + span.count).map(|x| {
                let distance = (f64::from(x) - center + 0.5) * inverse;
                weight_at(axis.filter, distance.abs())
            }));
            span.start -= first;
            let before = span.start.saturating_sub(latest);
            *span = Span { start: span.start - before, count: span.count + before };
            let sum: f64 = self.weights.iter().sum();
            for (place, weight) in (before as usize..).zip(&self.weights) {
                let weight = if sum == 0.0 { *weight } else { weight / sum };
                let half = if weight < 0.0 { -0.5 } else { 0.5 };
                let fixed = (half + weight * f64::from(1 << FRACTION_BITS)) as i32;
                pairs[place / 2].high[place % 2] = (fixed >> LOW_BITS) as i16;
                pairs[place / 2].low[place % 2] = (fixed & ((1 << LOW_BITS) - 1)) as i16;
            }
        }
        true
    }

    /// Every output pixel's span and weights, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Span, &[Pair])> {
        (0..self.len()).map(|index| self.at(index))
    }

    /// The span and weights of an output pixel.
    pub(crate) fn at(&self, index: usize) -> (Span, &[Pair]) {
        let span = self.spans[index];
        (span, &self.pairs[index * self.stride..][..span.count.div_ceil(2) as usize])
    }

    /// First source pixel and weights of an output pixel; all have as many weights, a multiple of four.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(crate) fn fours(&self, index: usize) -> (usize, &[[Pair; 2]]) {
        let pairs = &self.pairs[index * self.stride..][..self.stride];
        (self.spans[index].start as usize, pairs.as_chunks().0)
    }

    /// Number of output pixels.
    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether output pixels are source pixels, from the first that is read.
    pub(crate) fn copies(&self) -> bool {
        (0..).zip(self.iter()).all(|(x, (span, pairs))| copied(span, pairs) == Some(x))
    }
}

/// The source pixel that an output pixel is a copy of, where it is one.
pub(crate) fn copied(span: Span, pairs: &[Pair]) -> Option<u32> {
    let weights = pairs.iter().flat_map(|pair| pair.weights());
    let mut weighed = (span.start..).zip(weights).filter(|(_, weight)| *weight != 0);
    // A weight of 1 alone would not do: those around it may be as much above 0 as below.
    match (weighed.next(), weighed.next()) {
        (Some((x, weight)), None) if weight == 1 << FRACTION_BITS => Some(x),
        _ => None,
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
fn weight_at(filter: Interpolation, x: f64) -> f64 {
    /// Keys' a.
    const A: f64 = -0.5;
    match filter {
        Interpolation::Bilinear => (1.0 - x).max(0.0),
        Interpolation::Bicubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        Interpolation::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
        Interpolation::Bicubic => 0.0,
    }
}

// === impl Pair ===

impl Pair {
    /// The weights, put together.
    pub(crate) fn weights(self) -> [i32; 2] {
        [0, 1].map(|i| (i32::from(self.high[i]) << LOW_BITS) + i32::from(self.low[i]))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::resample::tests::FILTERS;

    proptest! {
        #[test]
        fn weights_sum_to_one_and_lie_in_the_picture(
            input in 1_u32..5000, output in 1_u32..600, from in 0.0_f32..0.9, length in 0.01_f32..1.0,
            filter in prop::sample::select(&FILTERS), around in prop::array::uniform2(0_u32..100),
        ) {
            let width = input as f32;
            let from = from * width;
            let [first, behind] = around;
            let whole = first + output + behind;
            let axis = Axis { input, from, to: (from + length * width).min(width), whole, first, output, filter };
            let (first, end) = axis.range();
            let mut taps = Taps::default();
            taps.set(&axis);
            prop_assert_eq!(taps.iter().count(), output as usize);
            for (span, pairs) in taps.iter() {
                prop_assert!(span.count >= 1 && first + span.start + span.count <= end && end <= input);
                let weights: Vec<i32> = pairs.iter().flat_map(|pair| pair.weights()).collect();
                let one = f64::from(1 << FRACTION_BITS);
                let least = if filter == Interpolation::Bilinear { 0.0 } else { -one / 6.0 };
                prop_assert!(weights.iter().all(|&w| (least..one * 7.0 / 6.0).contains(&f64::from(w))), "{:?}", weights);
                prop_assert!(weights[span.count as usize..].iter().all(|&w| w == 0));
                let sum: i32 = weights.iter().sum();
                prop_assert!((sum - (1 << FRACTION_BITS)).unsigned_abs() <= span.count, "{}", sum);
            }
            let ends = (taps.spans[0], taps.spans[taps.spans.len() - 1]);
            prop_assert_eq!((ends.0.start, ends.1.start + ends.1.count), (0, end - first));
            prop_assert!(taps.spans.is_sorted_by_key(|span| (span.start, span.start + span.count)));
        }
    }

    #[test]
    fn a_size_that_stays_is_copied() {
        let mut taps = Taps::default();
        for filter in FILTERS {
            for (from, to, output, copies) in [(0.0, 7.0, 7, true), (2.0, 6.0, 4, true), (0.5, 6.5, 6, false)] {
                taps.set(&Axis { input: 7, from, to, whole: output, first: 0, output, filter });
                let from_the_first = filter == Interpolation::Bilinear || from == 0.0;
                assert_eq!(taps.copies(), copies && from_the_first, "{filter:?}, {from} to {to}");
                let each = taps.iter().all(|(span, pairs)| copied(span, pairs).is_some());
                assert_eq!(each, copies, "{filter:?}, {from} to {to}");
            }
        }
    }

    #[test]
    fn a_weight_of_one_among_others_is_no_copy() {
        let pair = |weights: [i32; 2]| Pair {
            high: weights.map(|weight| (weight >> LOW_BITS) as i16),
            low: weights.map(|weight| (weight & ((1 << LOW_BITS) - 1)) as i16),
        };
        let span = Span { start: 3, count: 4 };
        let one = 1 << FRACTION_BITS;
        assert_eq!(copied(span, &[pair([0, one]), pair([0, 0])]), Some(4));
        assert_eq!(copied(span, &[pair([-5, one]), pair([5, 0])]), None);
        assert_eq!(copied(span, &[pair([one, 5]), pair([-5, 0])]), None);
        assert_eq!(copied(span, &[pair([0, 0]), pair([0, one - 1])]), None);
    }
}
