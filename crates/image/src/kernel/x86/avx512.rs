//! The inner loops with 512-bit vectors: sixteen bytes across, or 64 columns down, at once.
//!
//! `vpermb` looks up 64 bytes ([`Gather`]), `vpdpbusd` multiplies bytes and adds four neighbours to a sum; down the
//! columns, `vpdpwssd` does that with two 16-bit numbers.

use std::arch::x86_64::*;

use super::avx2;
use super::gather::{DIGITS, Gather, LANES, WINDOW};
use super::lanes::{LANE, planes, rows_of};
use crate::floats::{Factor, Steps};
use crate::kernel::portable;
use crate::kernel::rows::ROWS;
use crate::rgb::CHANNELS;
use crate::taps::{FRACTION_BITS, HALF, LOW_BITS, Pair, Taps};
use crate::vectors::wide512::*;

/// Bytes of a vector.
const VECTOR: usize = 64;
/// Floats of a vector.
const FLOATS: usize = VECTOR / 4;

/// Resamples rows as [`Across::resample`](crate::kernel::Across::resample) does.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
pub(in crate::kernel) fn horizontal(input: [&[u8]; ROWS], taps: &Taps, gather: &Gather, out: &mut [u8], stride: usize) {
    let Some(blocks) = gather.blocks() else { return avx2::horizontal(input, taps, out, stride) };
    let [a, b, c, d] = input;
    let length = a.len().min(b.len()).min(c.len()).min(d.len());
    // Cut to one length, so that one check of a place does for all rows.
    let input = [&a[..length], &b[..length], &c[..length], &d[..length]];
    let mut out = rows_of(out, stride);
    for (block, looks) in blocks.enumerate() {
        let mut sums = [[spread32(HALF), zero(), zero()]; ROWS];
        for look in looks {
            let picks = bytemuck::cast(look.picks);
            let digits: [Vector; DIGITS] = bytemuck::cast(look.digits);
            for (row, sums) in input.iter().zip(&mut sums) {
                let window = bytemuck::pod_read_unaligned(&row[look.from..look.from + WINDOW]);
                let bytes = _mm512_permutexvar_epi8(picks, window);
                sums[0] = _mm512_dpbusd_epi32(sums[0], bytes, digits[0]);
                sums[1] = _mm512_dpbusd_epi32(sums[1], bytes, digits[1]);
                sums[2] = _mm512_dpbusd_epi32(sums[2], bytes, digits[2]);
            }
        }
        for (row, [low, middle, high]) in out.iter_mut().zip(sums) {
            let upper = add32(_mm512_slli_epi32::<8>(high), middle);
            let sum = add32(_mm512_slli_epi32::<8>(upper), low);
            // The conversion takes its input for unsigned: a value below 0 would be far above 255.
            let rounded = _mm512_max_epi32(_mm512_srai_epi32::<FRACTION_BITS>(sum), zero());
            let bytes = _mm512_cvtusepi32_epi8(rounded);
            row[block * LANES..][..LANES].copy_from_slice(bytemuck::bytes_of(&bytes));
        }
    }
}

vertical!("avx512f,avx512bw,avx512vnni");

floats!("avx512f,avx512bw");

/// The bytes of a block, four pixels in each lane. The last lane also holds the four bytes before its pixels, so that
/// nothing behind the block is read.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn in_lanes(bytes: &[u8; FLOATS * CHANNELS], mirror: bool) -> Vector {
    let [a, b, c, d] = [0, 12, 24, 32].map(|at| bytemuck::pod_read_unaligned(&bytes[at..at + LANE]));
    if mirror { lanes([d, c, b, a]) } else { lanes([a, b, c, d]) }
}

/// The floats of bytes that are widened to 32 bits.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn finished(bytes: Vector, steps: &Steps) -> [f32; FLOATS] {
    let unit = times(_mm512_cvtepi32_ps(bytes), steps.scale);
    bytemuck::cast(times(_mm512_sub_ps(unit, _mm512_set1_ps(steps.mean)), steps.spread))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn times(values: __m512, factor: Factor) -> __m512 {
    let low = _mm512_mul_ps(values, _mm512_set1_ps(factor.low));
    _mm512_fmadd_ps(values, _mm512_set1_ps(factor.high), low)
}

/// Sixteen sums of products with weights in halves.
#[derive(Clone, Copy)]
struct Sums {
    high: Vector,
    low: Vector,
}

// === impl Sums ===

impl Sums {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn new() -> Self {
        Self { high: zero(), low: spread32(HALF) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    fn add(&mut self, values: Vector, pair: &Pair) {
        self.high = _mm512_dpwssd_epi32(self.high, values, spread32(bytemuck::cast(pair.high)));
        self.low = _mm512_dpwssd_epi32(self.low, values, spread32(bytemuck::cast(pair.low)));
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn rounded(self) -> Vector {
        let sum = add32(_mm512_slli_epi32::<LOW_BITS>(self.high), self.low);
        _mm512_srai_epi32::<FRACTION_BITS>(sum)
    }
}

/// Four vectors of sums to bytes: in each lane those of the first, then of the second and so on.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn pack([a, b, c, d]: [Vector; 4]) -> Vector {
    narrow16(narrow32(a, b), narrow32(c, d))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn lanes([a, b, c, d]: [__m128i; ROWS]) -> Vector {
    let pixels = _mm512_inserti32x4::<1>(_mm512_castsi128_si512(a), b);
    _mm512_inserti32x4::<3>(_mm512_inserti32x4::<2>(pixels, c), d)
}
