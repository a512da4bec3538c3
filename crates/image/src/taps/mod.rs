//! Which source pixels make an output pixel, and with what weight, along one axis.

mod axis;
mod pair;

use axis::weight_at;
pub(crate) use axis::{Axis, Span};
pub(crate) use pair::{FRACTION_BITS, HALF, LOW_BITS, Pair};

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

// === impl Taps ===

impl Taps {
    /// Computes the taps of an axis (Pillow's `precompute_coeffs` and `normalize_coeffs_8bpc`), and tells whether it
    /// had to: the last taps stay where the axis is the same, as for photos of one size and a recipe without chance.
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
        // The last output pixels' taps start earlier, with weights of 0, so that all can be read to their full length.
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
    // It is no proof of a copy that one weight is 1: the others may sum to 0 and not be 0.
    match (weighed.next(), weighed.next()) {
        (Some((x, weight)), None) if weight == 1 << FRACTION_BITS => Some(x),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use headwater_types::recipe::Interpolation;

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
                let range = least..one * 7.0 / 6.0;
                prop_assert!(weights.iter().all(|&w| range.contains(&f64::from(w))), "{:?}", weights);
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
