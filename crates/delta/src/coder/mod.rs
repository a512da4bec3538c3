//! Differences between numbers of the base and of the target, entropy-coded.
//!
//! ```text
//! difference ─▶ zigzag ─▶ token, some bits as they are
//! exponent of the number in the base ─▶ class ─▶ how often each token comes ─▶ tANS
//!
//! payload = classes, states, bits
//! ```
//!
//! The bits of two floats of one sign are whole numbers whose difference is their distance, in units of the last place.
//! A step of training changes all weights of a tensor by about as much; in units of the last place that is twice as
//! much for a weight of half the size. So tokens come from a distribution for each class of exponents, which a table
//! of its own makes nearly exact. The tables are those of tANS (J. Duda, "Asymmetric numeral systems", 2013, as in
//! Zstandard's FSE): a token takes the fraction of a bit that it is worth, so that weights which mostly stay as they
//! are take much less than one.
//!
//! [`LANES`] states take turns: one state alone would wait for each look-up before the next.
//!
//! Invariant: a decoder reads tables that make up exactly [`SLOTS`], and thereby stays within them, whatever the bits
//! are. Bits beyond the end are zeros; who has read any is told so at the end.

mod bits;
mod classes;
mod decoder;
mod encoder;
mod frequencies;
mod spread;
mod tokens;

pub(crate) use decoder::Decoder;
pub(crate) use encoder::encode;

/// Bits of a state: few, so that the tables of all classes stay in the cache next to the core. Eleven save 0.4 %.
const STATE_BITS: u32 = 9;
/// Places of a table: the frequencies of a class make up this number.
const SLOTS: usize = 1 << STATE_BITS;
/// States that take turns: as many as there are registers for.
const LANES: usize = 4;
/// Most classes of a block.
const MAX_CLASSES: usize = 16;
/// Fewest elements for each class of a block: fewer are not worth its table, neither in bytes nor in time.
pub(crate) const ELEMENTS_PER_CLASS: usize = 256;

/// An element, as the number that its bits are.
#[inline(always)]
fn load<const WIDTH: usize>(bytes: [u8; WIDTH]) -> u32 {
    let mut word = [0; 4];
    word[..WIDTH].copy_from_slice(&bytes);
    u32::from_le_bytes(word)
}

/// The element whose bits are the lowest of a number.
#[inline(always)]
fn store<const WIDTH: usize>(number: u32) -> [u8; WIDTH] {
    let mut bytes = [0; WIDTH];
    bytes.copy_from_slice(&number.to_le_bytes()[..WIDTH]);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::element::Element;

    fn restored(payload: &[u8], base: &[u8], element: Element) -> Vec<u8> {
        let mut bytes = base.to_vec();
        let mut decoder = Decoder::new(payload, element, base.len() / element.width()).unwrap();
        decoder.restore(&mut bytes);
        decoder.finish().unwrap();
        bytes
    }

    fn assert_restored(base: &[u8], target: &[u8], element: Element) -> usize {
        let payload = encode(base, target, element).unwrap();
        assert!(restored(&payload, base, element) == target, "{element:?}");
        payload.len()
    }

    fn noise(count: usize) -> Vec<f32> {
        let mut state = 1_u32;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            f64::from(state) / f64::from(u32::MAX) - 0.5
        };
        (0..count).map(|_| (next() * next() * 4.0) as f32).collect()
    }

    fn bytes_of(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    #[test]
    fn small_steps_take_few_bits() {
        let base = noise(20_000);
        let steps = noise(20_000);
        let target: Vec<f32> = base.iter().zip(&steps).map(|(base, step)| base + step * 1e-5).collect();
        let size = assert_restored(&bytes_of(&base), &bytes_of(&target), Element::Float32);
        assert!(size < 20_000 * 4 * 45 / 100, "{size}");
        let upper = |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()[2..].to_vec()).collect() };
        let size = assert_restored(&upper(&base), &upper(&target), Element::BFloat16);
        assert!(size < 20_000 / 8, "nearly all are equal: {size}");
    }

    #[test]
    fn equal_numbers_take_nothing_but_their_header() {
        let base = bytes_of(&noise(5000));
        assert!(assert_restored(&base, &base, Element::Float32) < 60);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_numbers_come_back(seed: u64, odd: usize, which in 1_usize..6, mask: u32) {
            let element = Element::ALL[which];
            let length = (ELEMENTS_PER_CLASS + odd % 3000) * element.width();
            let mut state = seed | 1;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 33) as u32 & mask
            };
            let mut noise = || (0..length).map(|at| (next() >> (8 * (at % 4))) as u8).collect::<Vec<u8>>();
            let (base, target) = (noise(), noise());
            assert_restored(&base, &target, element);
        }

        #[test]
        fn any_bits_are_refused_or_read(bytes: Vec<u8>, cut: usize, flip: usize) {
            let base = bytes_of(&noise(ELEMENTS_PER_CLASS));
            let target = bytes_of(&noise(2 * ELEMENTS_PER_CLASS)[ELEMENTS_PER_CLASS..]);
            let whole = encode(&base, &target, Element::Float32).unwrap();
            let mut flipped = whole.clone();
            flipped[flip % whole.len()] ^= 1 << (flip / whole.len() % 8);
            for payload in [&bytes[..], &whole[..cut % whole.len()], &flipped] {
                if let Ok(mut decoder) = Decoder::new(payload, Element::Float32, ELEMENTS_PER_CLASS) {
                    decoder.restore(&mut base.clone());
                    let _ = decoder.finish();
                }
            }
        }
    }
}
