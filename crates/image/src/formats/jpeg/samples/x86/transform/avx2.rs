//! The transform of two blocks at once.

use std::arch::x86_64::*;

use super::{SHORT, one_by_one};
use crate::formats::jpeg::samples::block::{BLOCK, Coefficients, WILD};
use crate::vectors::wide256::*;

/// Blocks that are transformed at once, each in a lane.
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
