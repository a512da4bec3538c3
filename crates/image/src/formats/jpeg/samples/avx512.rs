//! Samples to pixels with 512-bit vectors: 64 pixels at a time, even and odd ones apart, in 16 bits each.

use std::arch::x86_64::*;

use super::row::Samples;
use crate::rgb::CHANNELS;

/// Pixels that are made at once.
const PIXELS: usize = 64;
/// Their bytes.
const BYTES: usize = PIXELS * CHANNELS;

/// Even and odd pixels of 64, in 16 bits each.
type Pair = [__m512i; 2];

/// As [`super::pixels`].
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vbmi")]
pub(super) fn pixels(samples: &Samples<'_>, out: &mut [u8]) {
    let full = out.len() / BYTES;
    let (whole, rest) = out.split_at_mut(full * BYTES);
    for (i, out) in whole.as_chunks_mut::<BYTES>().0.iter_mut().enumerate() {
        write(some(samples, i * PIXELS), out);
    }
    if !rest.is_empty() {
        let mut last = [0; BYTES];
        write(some(samples, full * PIXELS), &mut last);
        rest.copy_from_slice(&last[..rest.len()]);
    }
}

/// Red, green and blue of 64 pixels from number `x` on.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vbmi")]
fn some(samples: &Samples<'_>, x: usize) -> [__m512i; CHANNELS] {
    match *samples {
        Samples::Grey(grey) => [load(grey, x); CHANNELS],
        Samples::Rgb([red, green, blue]) => [load(red, x), load(green, x), load(blue, x)],
        Samples::YCbCr { y, chroma: [blue, red] } => {
            rgb(split(load(y, x)), [split(load(blue, x)), split(load(red, x))])
        }
        Samples::Halved { y, chroma: [blue, red] } => {
            let of = |row: &[u8]| halved([sixteen(row, x / 2), sixteen(row, x / 2 + 1), sixteen(row, x / 2 + 2)]);
            rgb(split(load(y, x)), [of(blue), of(red)])
        }
        Samples::Quartered { y, chroma: [blue, red] } => {
            let of = |[near, far]: [&[u8]; 2]| {
                let column = |x| triple_and(sixteen(near, x), sixteen(far, x));
                quartered([column(x / 2), column(x / 2 + 1), column(x / 2 + 2)])
            };
            rgb(split(load(y, x)), [of(blue), of(red)])
        }
    }
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vbmi")]
fn load(row: &[u8], x: usize) -> __m512i {
    bytemuck::pod_read_unaligned(&row[x..x + PIXELS])
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vbmi")]
fn sixteen(row: &[u8], x: usize) -> __m512i {
    _mm512_cvtepu8_epi16(bytemuck::pod_read_unaligned(&row[x..x + PIXELS / 2]))
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vbmi")]
fn split(bytes: __m512i) -> Pair {
    [_mm512_and_si512(bytes, _mm512_set1_epi16(0xff)), _mm512_srli_epi16::<8>(bytes)]
}

/// Three times the one, and the other.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vbmi")]
fn triple_and(three: __m512i, one: __m512i) -> __m512i {
    _mm512_add_epi16(_mm512_add_epi16(three, three), _mm512_add_epi16(three, one))
}

/// Samples between their neighbours on the left and on the right.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vbmi")]
fn halved([left, middle, right]: [__m512i; 3]) -> Pair {
    let round = |sum, half| _mm512_srli_epi16::<2>(_mm512_add_epi16(sum, _mm512_set1_epi16(half)));
    [round(triple_and(middle, left), 1), round(triple_and(middle, right), 2)]
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vbmi")]
fn quartered([left, middle, right]: [__m512i; 3]) -> Pair {
    let round = |sum, half| _mm512_srli_epi16::<4>(_mm512_add_epi16(sum, _mm512_set1_epi16(half)));
    [round(triple_and(middle, left), 8), round(triple_and(middle, right), 7)]
}

#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vbmi")]
fn rgb(y: Pair, [blue, red]: [Pair; 2]) -> [__m512i; CHANNELS] {
    let (even, odd) = (colors(y[0], blue[0], red[0]), colors(y[1], blue[1], red[1]));
    [woven(even[0], odd[0]), woven(even[1], odd[1]), woven(even[2], odd[2])]
}

/// `ycc_rgb_convert` in 16 bits: factors above 1 are split into what is added whole and a rest; see the tests for all 256 and
/// 65,536 cases.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vbmi")]
fn colors(y: __m512i, blue: __m512i, red: __m512i) -> [__m512i; CHANNELS] {
    let center = _mm512_set1_epi16(128);
    let (blue, red) = (_mm512_sub_epi16(blue, center), _mm512_sub_epi16(red, center));
    let twice = |v| _mm512_add_epi16(v, v);
    // (2 v x f / 2^16 + 1) / 2, rounded down both times.
    let scaled = |v, factor| {
        let product = _mm512_mulhi_epi16(twice(v), _mm512_set1_epi16(factor));
        _mm512_srai_epi16::<1>(_mm512_add_epi16(product, _mm512_set1_epi16(1)))
    };
    let r = _mm512_add_epi16(y, _mm512_add_epi16(red, scaled(red, 26345)));
    let b = _mm512_add_epi16(y, _mm512_add_epi16(twice(blue), scaled(blue, -14942)));
    // -0.34414 b + 0.28586 r, and from that r.
    let factors = _mm512_set1_epi32((18734 << 16) | (-22554 & 0xffff));
    let green = |pairs| {
        let sum = _mm512_add_epi32(_mm512_madd_epi16(pairs, factors), _mm512_set1_epi32(1 << 15));
        _mm512_srai_epi32::<16>(sum)
    };
    let g = _mm512_packs_epi32(green(_mm512_unpacklo_epi16(blue, red)), green(_mm512_unpackhi_epi16(blue, red)));
    [r, _mm512_add_epi16(y, _mm512_sub_epi16(g, red)), b]
}

/// Even and odd values, saturated, in one row of bytes.
#[inline]
#[target_feature(enable = "avx2,avx512f,avx512bw,avx512vbmi")]
fn woven(even: __m512i, odd: __m512i) -> __m512i {
    let order = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15));
    _mm512_shuffle_epi8(_mm512_packus_epi16(even, odd), order)
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
fn write([red, green, blue]: [__m512i; CHANNELS], out: &mut [u8; BYTES]) {
    let third = |third: usize| {
        let [places, of_blue] = SPREAD[third];
        let both = _mm512_permutex2var_epi8(red, bytemuck::cast(places), green);
        _mm512_mask_permutexvar_epi8(both, BLUE[third], bytemuck::cast(of_blue), blue)
    };
    out.copy_from_slice(bytemuck::cast_slice(&[third(0), third(1), third(2)]));
}
