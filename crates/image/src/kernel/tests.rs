use proptest::prelude::*;

use super::*;
use crate::resample::tests::{FILTERS, noise};

proptest! {
    /// Every level gives Pillow's plain sum, to the bit, with vectors, parts of weights, and several rows at once.
    #[test]
    fn every_level_resamples_rows_to_the_bits_of_plain_code(
        input in 1_u32..400, output in 1_u32..200, from in 0.0_f32..0.9, length in 0.01_f32..1.0,
        filter in prop::sample::select(&FILTERS), seed: u64,
    ) {
        let edge = from * input as f32;
        let to = (edge + length * input as f32).min(input as f32);
        let axis = Axis { input, from: edge, to, whole: output, first: 0, output, filter };
        let (first, end) = axis.range();
        let width = (end - first) as usize;
        let row = width * CHANNELS;
        let pixels = noise(row * ROWS + OVERREAD, seed);
        let stride = padded_row(output as usize);
        for level in Level::available() {
            let mut across = Across::at(level);
            across.set(&axis);
            let mut rows = vec![0; stride * ROWS];
            across.resample(std::array::from_fn(|i| &pixels[i * row..]), &mut rows, stride);
            for (y, out) in rows.chunks_exact(stride).enumerate() {
                for ((span, pairs), pixel) in across.taps().iter().zip(out.as_chunks::<CHANNELS>().0) {
                    for (channel, value) in pixel.iter().enumerate() {
                        let at = y * row + span.start as usize * CHANNELS + channel;
                        let expected = plain(pixels[at..].iter().step_by(CHANNELS), span.count, pairs);
                        prop_assert_eq!(*value, expected, "{}", level);
                    }
                }
            }
        }
    }

    #[test]
    fn every_level_makes_a_row_of_rows_to_the_bits_of_plain_code(
        rows in 1_usize..12, output in 1_u32..6, width in 1_usize..400, more in 0_usize..20,
        filter in prop::sample::select(&FILTERS), seed: u64,
    ) {
        let mut taps = Taps::default();
        taps.set(&Axis { input: rows as u32, from: 0.0, to: rows as f32, whole: output, first: 0, output, filter });
        let stride = width + more;
        let pixels = noise(stride * (rows - 1) + width, seed);
        for level in Level::available() {
            for (span, pairs) in taps.iter() {
                let mut out = vec![0; width];
                let column = &pixels[span.start as usize * stride..];
                vertical(level, column, stride, span.count as usize, pairs, &mut out);
                for (x, value) in out.iter().enumerate() {
                    let expected = plain(column[x..].iter().step_by(stride), span.count, pairs);
                    prop_assert_eq!(*value, expected, "{}", level);
                }
            }
        }
    }
}

/// One output value, as `libImaging/Resample.c` computes it.
fn plain<'a>(values: impl Iterator<Item = &'a u8>, count: u32, pairs: &[Pair]) -> u8 {
    let weights = pairs.iter().flat_map(|pair| pair.weights()).take(count as usize);
    let sum: i32 = (1 << 21) + values.zip(weights).map(|(&value, weight)| i32::from(value) * weight).sum::<i32>();
    (sum >> 22).clamp(0, 255) as u8
}

#[test]
fn the_fastest_level_is_the_default() {
    assert_eq!(Level::available().next(), Some(Level::PORTABLE));
    assert_eq!(Level::available().last(), Some(Level::default()));
}
