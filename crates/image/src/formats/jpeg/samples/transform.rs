//! The inverse transform of several blocks at once, one in each lane of 128 bits: two with AVX2, four with AVX-512.
//!
//! The steps are those of `jsimd_idct_islow`: a pass down the columns, a transposition, a pass along the rows, and back.
//! `vpmaddwd` multiplies pairs of 16-bit numbers and adds the products.

/// The transform for vectors of one width, in steps of the same names for all.
macro_rules! inverse {
    ($features:literal) => {
        /// As [`crate::formats::jpeg::samples::inverse`], for whole blocks.
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
                    *values = mul(*values, row(factors));
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
        fn pass<const SHIFT: i32, const SHORT: bool>(v: [Vector; 8]) -> [Vector; 8] {
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

/// Steps that are one instruction.
macro_rules! steps {
    ($features:literal, { $($name:ident: $instruction:ident,)* }) => {
        $(
            #[inline]
            #[target_feature(enable = $features)]
            fn $name(a: Vector, b: Vector) -> Vector {
                $instruction(a, b)
            }
        )*
    };
}

use super::block::{BLOCK, Coefficients, WILD};
use super::portable;

/// Blocks whose last coefficient comes before this place have none from the fifth row on, nor from the fifth column.
const SHORT: u8 = 10;

/// Groups that the others cannot take.
#[cold]
fn one_by_one(group: &[i16], quantisation: &[i16; BLOCK], out: &mut [u8], stride: usize) {
    for (x, values) in group.as_chunks::<BLOCK>().0.iter().enumerate() {
        portable::whole(values, quantisation, &mut out[8 * x..], stride);
    }
}

pub(super) mod wide256 {
    //! Two blocks at once.
    use std::arch::x86_64::*;

    use super::*;

    type Vector = __m256i;
    const LANES: usize = 2;

    inverse!("avx2");

    /// Row after row of both blocks.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn rows(group: &[i16; BLOCK * LANES]) -> [Vector; 8] {
        let rows = group.as_chunks::<8>().0;
        let half = |row: usize| -> __m128i { bytemuck::cast(rows[row]) };
        let both = |row: usize| _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(half(row)), half(8 + row));
        [both(0), both(1), both(2), both(3), both(4), both(5), both(6), both(7)]
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn row(row: &[i16; 8]) -> Vector {
        _mm256_broadcastsi128_si256(bytemuck::cast(*row))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn wild(row: Vector) -> bool {
        // What lies outside -8192 to 8191 has a bit above the fourteenth when that is added.
        let above = _mm256_set1_epi16(!(2 * WILD - 1));
        _mm256_testz_si256(_mm256_add_epi16(row, _mm256_set1_epi16(WILD)), above) == 0
    }

    /// Two rows of every block, side by side in each lane.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn two_rows(rows: Vector, out: &mut [u8], stride: usize) {
        let rows = _mm256_permute4x64_epi64::<0b11_01_10_00>(rows);
        let rows: [[u8; 16]; 2] = bytemuck::cast(rows);
        out[..16].copy_from_slice(&rows[0]);
        out[stride..stride + 16].copy_from_slice(&rows[1]);
    }

    /// Pairs of columns to bytes, saturated.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn samples(a: Vector, b: Vector) -> Vector {
        _mm256_add_epi8(_mm256_packs_epi16(a, b), _mm256_set1_epi8(-128))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn dot(pairs: Vector, a: i16, b: i16) -> Vector {
        _mm256_madd_epi16(pairs, _mm256_set1_epi32(i32::from(b) << 16 | i32::from(a) & 0xffff))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn shift32<const COUNT: i32>(v: Vector) -> Vector {
        _mm256_srai_epi32::<COUNT>(v)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn zero() -> Vector {
        _mm256_setzero_si256()
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn spread32(value: i32) -> Vector {
        _mm256_set1_epi32(value)
    }

    steps!("avx2", {
        mul: _mm256_mullo_epi16,
        add16: _mm256_add_epi16,
        sub16: _mm256_sub_epi16,
        add32: _mm256_add_epi32,
        sub32: _mm256_sub_epi32,
        low8: _mm256_unpacklo_epi8,
        high8: _mm256_unpackhi_epi8,
        low16: _mm256_unpacklo_epi16,
        high16: _mm256_unpackhi_epi16,
        low32: _mm256_unpacklo_epi32,
        high32: _mm256_unpackhi_epi32,
        low64: _mm256_unpacklo_epi64,
        high64: _mm256_unpackhi_epi64,
        narrow32: _mm256_packs_epi32,
    });
}

pub(super) mod wide512 {
    //! Four blocks at once.
    use std::arch::x86_64::*;

    use super::*;

    type Vector = __m512i;
    const LANES: usize = 4;

    inverse!("avx512f,avx512bw");

    /// Row after row of all blocks.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn rows(group: &[i16; BLOCK * LANES]) -> [Vector; 8] {
        // Four rows of a block, the upper and the lower.
        let fours = group.as_chunks::<32>().0;
        let part = |i: usize| -> Vector { bytemuck::cast(fours[i]) };
        let half = |i: usize| {
            let (a, b, c, d) = (part(i), part(2 + i), part(4 + i), part(6 + i));
            let upper = [_mm512_shuffle_i64x2::<0x44>(a, b), _mm512_shuffle_i64x2::<0x44>(c, d)];
            let lower = [_mm512_shuffle_i64x2::<0xee>(a, b), _mm512_shuffle_i64x2::<0xee>(c, d)];
            [
                _mm512_shuffle_i64x2::<0x88>(upper[0], upper[1]),
                _mm512_shuffle_i64x2::<0xdd>(upper[0], upper[1]),
                _mm512_shuffle_i64x2::<0x88>(lower[0], lower[1]),
                _mm512_shuffle_i64x2::<0xdd>(lower[0], lower[1]),
            ]
        };
        let ([r0, r1, r2, r3], [r4, r5, r6, r7]) = (half(0), half(1));
        [r0, r1, r2, r3, r4, r5, r6, r7]
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn row(row: &[i16; 8]) -> Vector {
        _mm512_broadcast_i32x4(bytemuck::cast(*row))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn wild(row: Vector) -> bool {
        let above = _mm512_set1_epi16(!(2 * WILD - 1));
        _mm512_test_epi16_mask(_mm512_add_epi16(row, _mm512_set1_epi16(WILD)), above) != 0
    }

    /// Two rows of every block, side by side in each lane.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn two_rows(rows: Vector, out: &mut [u8], stride: usize) {
        let order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
        let rows: [[u8; 32]; 2] = bytemuck::cast(_mm512_permutexvar_epi64(order, rows));
        out[..32].copy_from_slice(&rows[0]);
        out[stride..stride + 32].copy_from_slice(&rows[1]);
    }

    /// Pairs of columns to bytes, saturated.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn samples(a: Vector, b: Vector) -> Vector {
        _mm512_add_epi8(_mm512_packs_epi16(a, b), _mm512_set1_epi8(-128))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn dot(pairs: Vector, a: i16, b: i16) -> Vector {
        _mm512_madd_epi16(pairs, _mm512_set1_epi32(i32::from(b) << 16 | i32::from(a) & 0xffff))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn shift32<const COUNT: i32>(v: Vector) -> Vector {
        _mm512_sra_epi32(v, _mm_cvtsi32_si128(COUNT))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn zero() -> Vector {
        _mm512_setzero_si512()
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn spread32(value: i32) -> Vector {
        _mm512_set1_epi32(value)
    }

    steps!("avx512f,avx512bw", {
        mul: _mm512_mullo_epi16,
        add16: _mm512_add_epi16,
        sub16: _mm512_sub_epi16,
        add32: _mm512_add_epi32,
        sub32: _mm512_sub_epi32,
        low8: _mm512_unpacklo_epi8,
        high8: _mm512_unpackhi_epi8,
        low16: _mm512_unpacklo_epi16,
        high16: _mm512_unpackhi_epi16,
        low32: _mm512_unpacklo_epi32,
        high32: _mm512_unpackhi_epi32,
        low64: _mm512_unpacklo_epi64,
        high64: _mm512_unpackhi_epi64,
        narrow32: _mm512_packs_epi32,
    });
}
