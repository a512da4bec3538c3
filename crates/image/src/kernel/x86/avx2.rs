//! The inner loops with 256-bit vectors: two rows across, or 32 columns down, at once.
//!
//! `vpmaddwd` multiplies 16-bit numbers and adds neighbours.

use std::arch::x86_64::*;

use super::lanes::{LANE, planes, rows_of};
use crate::floats::{Factor, Steps};
use crate::kernel::portable;
use crate::kernel::rows::ROWS;
use crate::rgb::CHANNELS;
use crate::taps::{FRACTION_BITS, HALF, LOW_BITS, Pair, Taps};
use crate::vectors::wide256::*;

/// Bytes of a vector.
const VECTOR: usize = 32;
/// Floats of a vector.
const FLOATS: usize = VECTOR / 4;
/// Output pixels that fill a lane.
const PIXELS: usize = 4;

/// Where a lane, five pixels and a byte, has the first two of them, and the next two, as `r0 r1 g0 g1 b0 b1 - -` in 16
/// bits each. The highest bit stands for a zero.
const WEAVE: [[i8; LANE]; 2] = [
    [0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1],
    [6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1],
];
/// The order that makes four pixels of four bytes into four of three bytes.
const CLOSE_UP: [i8; LANE] = [0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1];

/// Resamples rows as [`Across::resample`](crate::kernel::Across::resample) does.
#[target_feature(enable = "avx2")]
pub(in crate::kernel) fn horizontal([a, b, c, d]: [&[u8]; ROWS], taps: &Taps, out: &mut [u8], stride: usize) {
    let [first, second, third, fourth] = rows_of(out, stride);
    two_rows([a, b], taps, [first, second]);
    two_rows([c, d], taps, [third, fourth]);
}

/// Resamples two rows: their weights and sums fit into the registers.
#[target_feature(enable = "avx2")]
fn two_rows([a, b]: [&[u8]; 2], taps: &Taps, [first, second]: [&mut [u8]; 2]) {
    // Cut to one length, so that one check of a place does for both rows.
    let length = a.len().min(b.len());
    let input = [&a[..length], &b[..length]];
    let close_up = _mm256_broadcastsi128_si256(bytemuck::cast(CLOSE_UP));
    for x in (0..taps.len()).step_by(PIXELS) {
        // Where outputs run out, the last one is taken again: its result has room.
        let place = |i: usize| (x + i).min(taps.len() - 1);
        let sums = [
            output(input, taps.fours(x)),
            output(input, taps.fours(place(1))),
            output(input, taps.fours(place(2))),
            output(input, taps.fours(place(3))),
        ];
        let pixels: [[u8; LANE]; 2] = bytemuck::cast(shuffle8(pack(sums), close_up));
        first[x * CHANNELS..][..LANE].copy_from_slice(&pixels[0]);
        second[x * CHANNELS..][..LANE].copy_from_slice(&pixels[1]);
    }
}

/// One output pixel of two rows.
#[inline]
#[target_feature(enable = "avx2")]
fn output(input: [&[u8]; 2], (start, fours): (usize, &[[Pair; 2]])) -> Vector {
    let weave =
        [_mm256_broadcastsi128_si256(bytemuck::cast(WEAVE[0])), _mm256_broadcastsi128_si256(bytemuck::cast(WEAVE[1]))];
    let mut sums = Sums::new();
    let mut at = start * CHANNELS;
    for four in fours {
        let pixels = lanes([load(input[0], at), load(input[1], at)]);
        sums.add(shuffle8(pixels, weave[0]), &four[0]);
        sums.add(shuffle8(pixels, weave[1]), &four[1]);
        at += 4 * CHANNELS;
    }
    sums.rounded()
}

#[inline]
fn load(row: &[u8], at: usize) -> __m128i {
    bytemuck::pod_read_unaligned(&row[at..at + LANE])
}

vertical!("avx2");

floats!("avx2,fma");

/// The bytes of a block, four pixels in each lane. The last lane also holds the four bytes before its pixels, so that
/// nothing behind the block is read.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn in_lanes(bytes: &[u8; FLOATS * CHANNELS], mirror: bool) -> Vector {
    let [a, b] = [0, 8].map(|at| bytemuck::pod_read_unaligned(&bytes[at..at + LANE]));
    if mirror { lanes([b, a]) } else { lanes([a, b]) }
}

/// The floats of bytes that are widened to 32 bits.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn finished(bytes: Vector, steps: &Steps) -> [f32; FLOATS] {
    let unit = times(_mm256_cvtepi32_ps(bytes), steps.scale);
    bytemuck::cast(times(_mm256_sub_ps(unit, _mm256_set1_ps(steps.mean)), steps.spread))
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn times(values: __m256, factor: Factor) -> __m256 {
    let low = _mm256_mul_ps(values, _mm256_set1_ps(factor.low));
    _mm256_fmadd_ps(values, _mm256_set1_ps(factor.high), low)
}

/// Eight sums of products with weights in halves.
#[derive(Clone, Copy)]
struct Sums {
    high: Vector,
    low: Vector,
}

// === impl Sums ===

impl Sums {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new() -> Self {
        Self { high: zero(), low: spread32(HALF) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn add(&mut self, values: Vector, pair: &Pair) {
        let products = |halves: [i16; 2]| _mm256_madd_epi16(values, spread32(bytemuck::cast(halves)));
        self.high = add32(self.high, products(pair.high));
        self.low = add32(self.low, products(pair.low));
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn rounded(self) -> Vector {
        let sum = add32(_mm256_slli_epi32::<{ LOW_BITS as i32 }>(self.high), self.low);
        _mm256_srai_epi32::<{ FRACTION_BITS as i32 }>(sum)
    }
}

/// Four vectors of sums to bytes: in each lane those of the first, then of the second and so on.
#[inline]
#[target_feature(enable = "avx2")]
fn pack([a, b, c, d]: [Vector; 4]) -> Vector {
    narrow16(narrow32(a, b), narrow32(c, d))
}

#[inline]
#[target_feature(enable = "avx2")]
fn lanes([a, b]: [__m128i; 2]) -> Vector {
    _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(a), b)
}
