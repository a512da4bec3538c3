//! The transform of four blocks at once.

use std::arch::x86_64::*;

use super::{SHORT, one_by_one};
use crate::formats::jpeg::samples::block::{BLOCK, Coefficients, WILD};
use crate::vectors::wide512::*;

/// Blocks that are transformed at once, each in a lane.
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
