//! The inverse transform of several blocks at once, one in each lane of 128 bits: two with AVX2, four with AVX-512.
//!
//! The steps are those of `jsimd_idct_islow`: a pass down the columns, a transposition, a pass along the rows, and
//! back. `vpmaddwd` multiplies pairs of 16-bit numbers and adds the products.

use crate::formats::jpeg::samples::block::BLOCK;
use crate::formats::jpeg::samples::portable;

/// The transform for vectors of one width, in steps of the same names for all.
macro_rules! inverse {
    ($features:literal) => {
        /// Transforms as [`inverse`](crate::formats::jpeg::samples::inverse) does, to eight samples a side.
        #[target_feature(enable = $features)]
        pub(in crate::formats::jpeg::samples) fn inverse(blocks: Coefficients<'_>, out: &mut [u8], stride: usize) {
            let Coefficients { values, last, quantisation } = blocks;
            let quantisation = quantisation.as_chunks::<8>().0;
            let mut x = 0;
            for (group, last) in values.chunks(BLOCK * LANES).zip(last.chunks(LANES)) {
                let out = &mut out[x..];
                x += 8 * LANES;
                if last.iter().all(|&last| last == 0) {
                    flat(group, blocks.quantisation[0], out, stride);
                    continue;
                }
                let read = match group.first_chunk() {
                    Some(group) => rows(group),
                    None => {
                        let mut padded = [0; BLOCK * LANES];
                        padded[..group.len()].copy_from_slice(group);
                        rows(&padded)
                    }
                };
                let mut rows = read;
                for (values, factors) in rows.iter_mut().zip(quantisation) {
                    *values = mul16(*values, row(factors));
                }
                if wild(rows[0]) {
                    one_by_one(group, blocks.quantisation, out, stride);
                    continue;
                }
                let columns = if last.iter().all(|&last| last < SHORT) {
                    pass::<18, true>(transposed(pass::<11, true>(rows)))
                } else {
                    pass::<18, false>(transposed(pass::<11, false>(rows)))
                };
                store(columns, out, stride);
            }
        }

        /// One dimension: `rows` in, `rows` out, at this shift. Where it is short, rows from the fifth on are 0.
        #[inline]
        #[target_feature(enable = $features)]
        fn pass<const SHIFT: Count, const SHORT: bool>(v: [Vector; 8]) -> [Vector; 8] {
            let [v0, v1, v2, v3, v4, v5, v6, v7] = v;
            let half = spread32(1 << (SHIFT - 1));
            let part = |low: bool| {
                let pair = |a, b| if low { low16(a, b) } else { high16(a, b) };
                // A 16-bit number times 2^13: in the upper half of 32 bits, and back.
                let shifted = |v| add32(shift32::<3>(pair(zero(), v)), half);
                if SHORT {
                    let even = shifted(v0);
                    let twos = pair(v2, zero());
                    let (outer, inner) = (dot(twos, 10703, 0), dot(twos, 4433, 0));
                    let [up0, up1] = [add32(even, outer), add32(even, inner)];
                    let [down0, down1] = [sub32(even, inner), sub32(even, outer)];
                    let pairs = pair(v1, v3);
                    let odd = [
                        // 1.501 - 0.899 + 1.176 - 0.390, and so on: what the long way adds up to.
                        dot(pairs, 11363, 9633),
                        dot(pairs, 9633, -2259),
                        dot(pairs, 6437, -11362),
                        dot(pairs, 2260, -6436),
                    ];
                    ([up0, up1, down0, down1], odd)
                } else {
                    let (plus, minus) = (shifted(add16(v0, v4)), shifted(sub16(v0, v4)));
                    let twos = pair(v2, v6);
                    let (outer, inner) = (dot(twos, 4433 + 6270, 4433), dot(twos, 4433, 4433 - 15137));
                    let even = [add32(plus, outer), add32(minus, inner), sub32(minus, inner), sub32(plus, outer)];
                    let zs = pair(add16(v7, v3), add16(v5, v1));
                    let (z3, z4) = (dot(zs, 9633 - 16069, 9633), dot(zs, 9633, 9633 - 3196));
                    let (ones, threes) = (pair(v7, v1), pair(v5, v3));
                    let odd = [
                        add32(dot(ones, -7373, 12299 - 7373), z4),
                        add32(dot(threes, -20995, 25172 - 20995), z3),
                        add32(dot(threes, 16819 - 20995, -20995), z4),
                        add32(dot(ones, 2446 - 7373, -7373), z3),
                    ];
                    (even, odd)
                }
            };
            let ((even, odd), (even_high, odd_high)) = (part(true), part(false));
            let plus = |i: usize| {
                let low = shift32::<SHIFT>(add32(even[i], odd[i]));
                narrow32(low, shift32::<SHIFT>(add32(even_high[i], odd_high[i])))
            };
            let minus = |i: usize| {
                let low = shift32::<SHIFT>(sub32(even[i], odd[i]));
                narrow32(low, shift32::<SHIFT>(sub32(even_high[i], odd_high[i])))
            };
            [plus(0), plus(1), plus(2), plus(3), minus(3), minus(2), minus(1), minus(0)]
        }

        /// Rows to columns, in each lane.
        #[inline]
        #[target_feature(enable = $features)]
        fn transposed(v: [Vector; 8]) -> [Vector; 8] {
            let half = |[a, b, c, d]: [Vector; 4]| {
                let (ac, bd, ac_high, bd_high) = (low16(a, c), low16(b, d), high16(a, c), high16(b, d));
                // Columns 0 and 1, 2 and 3, 4 and 5, 6 and 7 of the four rows.
                [low16(ac, bd), high16(ac, bd), low16(ac_high, bd_high), high16(ac_high, bd_high)]
            };
            let [a0, a2, a4, a6] = half([v[0], v[1], v[2], v[3]]);
            let [b0, b2, b4, b6] = half([v[4], v[5], v[6], v[7]]);
            [
                low64(a0, b0),
                high64(a0, b0),
                low64(a2, b2),
                high64(a2, b2),
                low64(a4, b4),
                high64(a4, b4),
                low64(a6, b6),
                high64(a6, b6),
            ]
        }

        /// Columns to rows of bytes, written out.
        #[inline]
        #[target_feature(enable = $features)]
        fn store(v: [Vector; 8], out: &mut [u8], stride: usize) {
            let bytes = [samples(v[0], v[1]), samples(v[2], v[3]), samples(v[4], v[5]), samples(v[6], v[7])];
            let pairs = [
                low8(bytes[0], bytes[1]),
                high8(bytes[0], bytes[1]),
                low8(bytes[2], bytes[3]),
                high8(bytes[2], bytes[3]),
            ];
            let fours = [
                [low8(pairs[0], pairs[1]), low8(pairs[2], pairs[3])],
                [high8(pairs[0], pairs[1]), high8(pairs[2], pairs[3])],
            ];
            for (i, [left, right]) in fours.into_iter().enumerate() {
                two_rows(low32(left, right), &mut out[4 * i * stride..], stride);
                two_rows(high32(left, right), &mut out[(4 * i + 2) * stride..], stride);
            }
        }

        /// Blocks that have but their first coefficient.
        #[inline]
        #[target_feature(enable = $features)]
        fn flat(group: &[i16], quantisation: i16, out: &mut [u8], stride: usize) {
            let blocks = group.as_chunks::<BLOCK>().0;
            let mut row = [0; 8 * LANES];
            for (block, row) in blocks.iter().zip(row.as_chunks_mut::<8>().0) {
                let value = block[0].wrapping_mul(quantisation).wrapping_shl(2);
                *row = [(((i32::from(value) + 16) >> 5).clamp(-128, 127) + 128) as u8; 8];
            }
            let length = 8 * blocks.len();
            for y in 0..8 {
                out[y * stride..][..length].copy_from_slice(&row[..length]);
            }
        }
    };
}

pub(in crate::formats::jpeg::samples) mod avx2;
pub(in crate::formats::jpeg::samples) mod avx512;

/// Blocks whose last coefficient comes before this place have none from the fifth row on, nor from the fifth column.
const SHORT: u8 = 10;

/// Transforms a group in which a coefficient is wild, block by block.
#[cold]
fn one_by_one(group: &[i16], quantisation: &[i16; BLOCK], out: &mut [u8], stride: usize) {
    for (x, values) in group.as_chunks::<BLOCK>().0.iter().enumerate() {
        portable::transform::whole(values, quantisation, &mut out[8 * x..], stride);
    }
}
