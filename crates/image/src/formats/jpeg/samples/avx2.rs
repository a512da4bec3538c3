//! Samples to pixels with 256-bit vectors: 32 pixels at a time, even and odd ones apart, in 16 bits each.

use std::arch::x86_64::*;

use super::row::Samples;
use crate::rgb::CHANNELS;

/// Pixels that are made at once.
const PIXELS: usize = 32;
/// Their bytes.
const BYTES: usize = PIXELS * CHANNELS;

/// Even and odd pixels of 32, in 16 bits each.
type Pair = [__m256i; 2];

/// As [`super::pixels`].
#[target_feature(enable = "avx2")]
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

/// Red, green and blue of 32 pixels from number `x` on.
#[inline]
#[target_feature(enable = "avx2")]
fn some(samples: &Samples<'_>, x: usize) -> [__m256i; CHANNELS] {
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
#[target_feature(enable = "avx2")]
fn load(row: &[u8], x: usize) -> __m256i {
    bytemuck::pod_read_unaligned(&row[x..x + PIXELS])
}

#[inline]
#[target_feature(enable = "avx2")]
fn sixteen(row: &[u8], x: usize) -> __m256i {
    _mm256_cvtepu8_epi16(bytemuck::pod_read_unaligned(&row[x..x + PIXELS / 2]))
}

#[inline]
#[target_feature(enable = "avx2")]
fn split(bytes: __m256i) -> Pair {
    [_mm256_and_si256(bytes, _mm256_set1_epi16(0xff)), _mm256_srli_epi16::<8>(bytes)]
}

/// Three times the one, and the other.
#[inline]
#[target_feature(enable = "avx2")]
fn triple_and(three: __m256i, one: __m256i) -> __m256i {
    _mm256_add_epi16(_mm256_add_epi16(three, three), _mm256_add_epi16(three, one))
}

/// Samples between their neighbours on the left and on the right.
#[inline]
#[target_feature(enable = "avx2")]
fn halved([left, middle, right]: [__m256i; 3]) -> Pair {
    let round = |sum, half| _mm256_srli_epi16::<2>(_mm256_add_epi16(sum, _mm256_set1_epi16(half)));
    [round(triple_and(middle, left), 1), round(triple_and(middle, right), 2)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn quartered([left, middle, right]: [__m256i; 3]) -> Pair {
    let round = |sum, half| _mm256_srli_epi16::<4>(_mm256_add_epi16(sum, _mm256_set1_epi16(half)));
    [round(triple_and(middle, left), 8), round(triple_and(middle, right), 7)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn rgb(y: Pair, [blue, red]: [Pair; 2]) -> [__m256i; CHANNELS] {
    let (even, odd) = (colors(y[0], blue[0], red[0]), colors(y[1], blue[1], red[1]));
    [woven(even[0], odd[0]), woven(even[1], odd[1]), woven(even[2], odd[2])]
}

/// `ycc_rgb_convert` in 16 bits: factors above 1 are split into what is added whole and a rest; see the tests for all 256 and
/// 65,536 cases.
#[inline]
#[target_feature(enable = "avx2")]
fn colors(y: __m256i, blue: __m256i, red: __m256i) -> [__m256i; CHANNELS] {
    let center = _mm256_set1_epi16(128);
    let (blue, red) = (_mm256_sub_epi16(blue, center), _mm256_sub_epi16(red, center));
    let twice = |v| _mm256_add_epi16(v, v);
    // (2 v x f / 2^16 + 1) / 2, rounded down both times.
    let scaled = |v, factor| {
        let product = _mm256_mulhi_epi16(twice(v), _mm256_set1_epi16(factor));
        _mm256_srai_epi16::<1>(_mm256_add_epi16(product, _mm256_set1_epi16(1)))
    };
    let r = _mm256_add_epi16(y, _mm256_add_epi16(red, scaled(red, 26345)));
    let b = _mm256_add_epi16(y, _mm256_add_epi16(twice(blue), scaled(blue, -14942)));
    // -0.34414 b + 0.28586 r, and from that r.
    let factors = _mm256_set1_epi32((18734 << 16) | (-22554 & 0xffff));
    let green = |pairs| {
        let sum = _mm256_add_epi32(_mm256_madd_epi16(pairs, factors), _mm256_set1_epi32(1 << 15));
        _mm256_srai_epi32::<16>(sum)
    };
    let g = _mm256_packs_epi32(green(_mm256_unpacklo_epi16(blue, red)), green(_mm256_unpackhi_epi16(blue, red)));
    [r, _mm256_add_epi16(y, _mm256_sub_epi16(g, red)), b]
}

/// Even and odd values, saturated, in one row of bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn woven(even: __m256i, odd: __m256i) -> __m256i {
    let order = _mm256_setr_epi8(
        0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15,
    );
    _mm256_shuffle_epi8(_mm256_packus_epi16(even, odd), order)
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
fn write(planes: [__m256i; CHANNELS], out: &mut [u8; BYTES]) {
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
