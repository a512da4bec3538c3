//! 64 pixels at a time.

use std::arch::x86_64::*;

use crate::formats::jpeg::samples::row::Samples;
use crate::rgb::CHANNELS;
use crate::vectors::wide512::*;

/// Pixels that are made at once.
const PIXELS: usize = 64;
/// Their bytes.
const BYTES: usize = PIXELS * CHANNELS;

pixels!("avx2,avx512f,avx512bw,avx512vbmi");

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vbmi")]
fn load(row: &[u8], x: usize) -> Vector {
    bytemuck::pod_read_unaligned(&row[x..x + PIXELS])
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vbmi")]
fn sixteen(row: &[u8], x: usize) -> Vector {
    _mm512_cvtepu8_epi16(bytemuck::pod_read_unaligned(&row[x..x + PIXELS / 2]))
}

/// Even and odd values, saturated, in one row of bytes.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vbmi")]
fn woven(even: Vector, odd: Vector) -> Vector {
    let order = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15));
    _mm512_shuffle_epi8(narrow16(even, odd), order)
}

/// Where red and green, and where blue is taken from, for each third of the bytes; a byte of red and green that is blue
/// can be any.
const SPREAD: [[[u8; PIXELS]; 2]; CHANNELS] = {
    let mut spread = [[[0; PIXELS]; 2]; CHANNELS];
    let mut at = 0;
    while at < BYTES {
        let (pixel, channel) = (at / CHANNELS, at % CHANNELS);
        let third = &mut spread[at / PIXELS];
        if channel < 2 {
            third[0][at % PIXELS] = (pixel + channel * PIXELS) as u8;
        } else {
            third[1][at % PIXELS] = pixel as u8;
        }
        at += 1;
    }
    spread
};

/// Which bytes of each third are blue.
const BLUE: [u64; CHANNELS] = {
    let mut blue = [0; CHANNELS];
    let mut at = 2;
    while at < BYTES {
        blue[at / PIXELS] |= 1 << (at % PIXELS);
        at += CHANNELS;
    }
    blue
};

/// Three rows of bytes to pixels.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vbmi")]
fn write([red, green, blue]: [Vector; CHANNELS], out: &mut [u8; BYTES]) {
    let third = |third: usize| {
        let [places, of_blue] = SPREAD[third];
        let both = _mm512_permutex2var_epi8(red, bytemuck::cast(places), green);
        _mm512_mask_permutexvar_epi8(both, BLUE[third], bytemuck::cast(of_blue), blue)
    };
    out.copy_from_slice(bytemuck::cast_slice(&[third(0), third(1), third(2)]));
}
