use proptest::prelude::*;

use super::block::BLOCK;
use super::*;
use crate::resample::tests::noise;
use crate::rgb::CHANNELS;

/// Coefficients like those of a photo, or wild ones, of so many blocks; and the last places.
fn blocks(count: usize, most: u8, wild: bool, seed: u64) -> (Vec<i16>, Vec<u8>) {
    let noise = noise(count * BLOCK * 2 + count, seed);
    let (bytes, ends) = noise.split_at(count * BLOCK * 2);
    let last: Vec<u8> = ends.iter().map(|end| end % (most + 1)).collect();
    let mut values = vec![0; count * BLOCK];
    for (block, (values, last)) in values.as_chunks_mut::<BLOCK>().0.iter_mut().zip(&last).enumerate() {
        for place in 0..=usize::from(*last) {
            let at = (block * BLOCK + place) * 2;
            let value = i16::from_le_bytes([bytes[at], bytes[at + 1]]);
            let scale = if wild { 0 } else { 5 + place.min(40) / 6 };
            values[crate::formats::jpeg::ZIGZAG[place] as usize] = value >> scale;
        }
    }
    (values, last)
}

proptest! {
    #[test]
    fn every_level_transforms_to_the_bits_of_plain_code(
        count in 1_usize..20, most in prop::sample::select(vec![0_u8, 2, 9, 10, 30, 63]),
        wild in prop::bool::weighted(0.3), factor in 1_i16..80, seed: u64,
    ) {
        let (values, last) = blocks(count, most, wild, seed);
        let quantisation = std::array::from_fn(|i| factor + i as i16);
        let blocks = Coefficients { values: &values, last: &last, quantisation: &quantisation };
        let stride = count * 8 + MORE_SAMPLES;
        let mut expected = vec![0; stride * 8];
        portable::transform::inverse(8, blocks, &mut expected, stride);
        for level in Level::available() {
            let mut out = vec![0; stride * 8];
            inverse(level, 8, blocks, &mut out, stride);
            for (row, expected) in out.chunks(stride).zip(expected.chunks(stride)) {
                prop_assert_eq!(&row[..count * 8], &expected[..count * 8], "{}", level);
            }
        }
    }

    #[test]
    fn every_level_makes_the_pixels_of_plain_code(width in 1_usize..300, seed: u64) {
        let length = width + MORE_SAMPLES + 2;
        let noise = noise(length * 5, seed);
        let rows: Vec<&[u8]> = noise.chunks(length).collect();
        let y = rows[0];
        for samples in [
            Samples::Grey(y),
            Samples::Rgb([y, rows[1], rows[2]]),
            Samples::YCbCr { y, chroma: [rows[1], rows[2]] },
            Samples::Halved { y, chroma: [rows[1], rows[2]] },
            Samples::Quartered { y, chroma: [[rows[1], rows[2]], [rows[3], rows[4]]] },
        ] {
            let mut expected = vec![0; width * CHANNELS];
            portable::colors::pixels(&samples, &mut expected);
            for level in Level::available() {
                let mut out = vec![0; width * CHANNELS];
                pixels(level, &samples, &mut out);
                prop_assert_eq!(&out, &expected, "{}", level);
            }
        }
    }
}

#[test]
fn every_color_is_the_same_at_every_level() {
    let every: Vec<u8> = (0..=255).chain([0; MORE_SAMPLES]).collect();
    for level in Level::available() {
        for (y, red) in (0..=255).flat_map(|red| [0, 100, 255].map(|y| (y, red))) {
            let (luma, red) = (vec![y; every.len()], vec![red; every.len()]);
            let mut out = vec![0; 256 * CHANNELS];
            pixels(level, &Samples::YCbCr { y: &luma, chroma: [&every, &red] }, &mut out);
            for (blue, pixel) in (0..=255).zip(out.as_chunks::<CHANNELS>().0) {
                assert_eq!(*pixel, portable::colors::rgb(y, [blue, red[0]]), "{level}: {y}, {blue}, {}", red[0]);
            }
        }
    }
}
