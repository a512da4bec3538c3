//! 32 pixels at a time.

use std::arch::x86_64::*;

use crate::formats::jpeg::samples::row::Samples;
use crate::rgb::CHANNELS;
use crate::vectors::wide256::*;

/// Pixels that are made at once.
const PIXELS: usize = 32;
/// Their bytes.
const BYTES: usize = PIXELS * CHANNELS;

pixels!("avx2");

#[inline]
#[target_feature(enable = "avx2")]
fn load(row: &[u8], x: usize) -> Vector {
    bytemuck::pod_read_unaligned(&row[x..x + PIXELS])
}

#[inline]
#[target_feature(enable = "avx2")]
fn sixteen(row: &[u8], x: usize) -> Vector {
    _mm256_cvtepu8_epi16(bytemuck::pod_read_unaligned(&row[x..x + PIXELS / 2]))
}

/// Even and odd values, saturated, in one row of bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn woven(even: Vector, odd: Vector) -> Vector {
    let order = _mm256_setr_epi8(
        0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15,
    );
    _mm256_shuffle_epi8(narrow16(even, odd), order)
}

/// Where in 48 bytes the 16 values of a channel go, in each third; the highest bit stands for a zero.
const SPREAD: [[[i8; 16]; CHANNELS]; CHANNELS] = {
    let mut spread = [[[-1; 16]; CHANNELS]; CHANNELS];
    let mut at = 0;
    while at < 48 {
        spread[at / 16][at % CHANNELS][at % 16] = (at / CHANNELS) as i8;
        at += 1;
    }
    spread
};

/// Three rows of bytes to pixels.
#[inline]
#[target_feature(enable = "avx2")]
fn write(planes: [Vector; CHANNELS], out: &mut [u8; BYTES]) {
    let third = |third: usize| {
        let spread = |channel: usize| {
            let order = _mm256_broadcastsi128_si256(bytemuck::cast(SPREAD[third][channel]));
            _mm256_shuffle_epi8(planes[channel], order)
        };
        _mm256_or_si256(_mm256_or_si256(spread(0), spread(1)), spread(2))
    };
    let (a, b, c) = (third(0), third(1), third(2));
    let parts = [
        _mm256_permute2x128_si256::<0x20>(a, b),
        _mm256_permute2x128_si256::<0x30>(c, a),
        _mm256_permute2x128_si256::<0x31>(b, c),
    ];
    out.copy_from_slice(bytemuck::cast_slice(&parts));
}
