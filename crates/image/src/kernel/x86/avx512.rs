//! The inner loops with 512-bit vectors: sixteen bytes across, or 64 columns down, at once.
//!
//! `vpermb` looks up 64 bytes ([`Gather`]), `vpdpbusd` multiplies bytes and adds four neighbours to a sum; down the columns,
//! `vpdpwssd` does that with two 16-bit numbers.

use std::arch::x86_64::*;

use super::avx2;
use super::gather::{DIGITS, Gather, LANES, WINDOW};
use super::lanes::{LANE, planes, rows_of};
use crate::floats::{Factor, Steps};
use crate::kernel::portable;
use crate::kernel::rows::ROWS;
use crate::rgb::CHANNELS;
use crate::taps::{FRACTION_BITS, HALF, LOW_BITS, Pair, Taps};

/// Bytes of a vector.
const VECTOR: usize = 64;
/// Floats of a vector.
const FLOATS: usize = VECTOR / 4;

/// As [`crate::kernel::Across::resample`].
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vnni")]
pub(in crate::kernel) fn horizontal(input: [&[u8]; ROWS], taps: &Taps, gather: &Gather, out: &mut [u8], stride: usize) {
    let Some(blocks) = gather.blocks() else { return avx2::horizontal(input, taps, out, stride) };
    let [a, b, c, d] = input;
    let length = a.len().min(b.len()).min(c.len()).min(d.len());
    // Cut to one length, so that one check of a place does for all rows.
    let input = [&a[..length], &b[..length], &c[..length], &d[..length]];
    let mut out = rows_of(out, stride);
    for (block, looks) in blocks.enumerate() {
        let mut sums = [[_mm512_set1_epi32(HALF), _mm512_setzero_si512(), _mm512_setzero_si512()]; ROWS];
        for look in looks {
            let picks = bytemuck::cast(look.picks);
            let digits: [__m512i; DIGITS] = bytemuck::cast(look.digits);
            for (row, sums) in input.iter().zip(&mut sums) {
                let window = bytemuck::pod_read_unaligned(&row[look.from..look.from + WINDOW]);
                let bytes = _mm512_permutexvar_epi8(picks, window);
                sums[0] = _mm512_dpbusd_epi32(sums[0], bytes, digits[0]);
                sums[1] = _mm512_dpbusd_epi32(sums[1], bytes, digits[1]);
                sums[2] = _mm512_dpbusd_epi32(sums[2], bytes, digits[2]);
            }
        }
        for (row, [low, middle, high]) in out.iter_mut().zip(sums) {
            let upper = _mm512_add_epi32(_mm512_slli_epi32::<8>(high), middle);
            let sum = _mm512_add_epi32(_mm512_slli_epi32::<8>(upper), low);
            // It takes its input for unsigned: below 0 would be far above 255.
            let rounded = _mm512_max_epi32(_mm512_srai_epi32::<FRACTION_BITS>(sum), _mm512_setzero_si512());
            let bytes = _mm512_cvtusepi32_epi8(rounded);
            row[block * LANES..][..LANES].copy_from_slice(bytemuck::bytes_of(&bytes));
        }
    }
}

/// As [`crate::kernel::vertical`].
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
pub(in crate::kernel) fn vertical(rows: &[u8], stride: usize, count: usize, pairs: &[Pair], out: &mut [u8]) {
    let Some(last) = out.len().checked_sub(VECTOR) else {
        return portable::vertical(rows, stride, count, pairs, out);
    };
    let zero = _mm512_setzero_si512();
    let mut x = 0;
    loop {
        let mut sums = [Sums::new(); 4];
        let columns = &rows[x..(count - 1) * stride + x + VECTOR];
        for (place, pair) in pairs.iter().enumerate() {
            let upper: __m512i = bytemuck::pod_read_unaligned(&columns[2 * place * stride..][..VECTOR]);
            // Where taps are odd in number, the last has weight 0 and any row will do.
            let below = (2 * place + 1).min(count - 1) * stride;
            let lower: __m512i = bytemuck::pod_read_unaligned(&columns[below..][..VECTOR]);
            let (first, second) = (_mm512_unpacklo_epi8(upper, lower), _mm512_unpackhi_epi8(upper, lower));
            sums[0].add(_mm512_unpacklo_epi8(first, zero), pair);
            sums[1].add(_mm512_unpackhi_epi8(first, zero), pair);
            sums[2].add(_mm512_unpacklo_epi8(second, zero), pair);
            sums[3].add(_mm512_unpackhi_epi8(second, zero), pair);
        }
        out[x..x + VECTOR].copy_from_slice(bytemuck::bytes_of(&pack(sums)));
        if x == last {
            break;
        }
        // The last vector may overlap the one before it: it computes the same bytes again.
        x = (x + VECTOR).min(last);
    }
}

/// As [`crate::kernel::floats`], by arithmetic; returns how many pixels from the left are done, and leaves the others.
#[target_feature(enable = "avx512f,avx512bw")]
pub(in crate::kernel) fn floats(
    steps: &[Steps; CHANNELS],
    pixels: &[u8],
    mirror: bool,
    out: &mut [&mut [f32]; CHANNELS],
) -> usize {
    const PLACES: [[[u8; VECTOR]; CHANNELS]; 2] = planes();
    let (blocks, _) = pixels.as_chunks::<{ FLOATS * CHANNELS }>();
    let width = pixels.len() / CHANNELS;
    for (block, bytes) in blocks.iter().enumerate() {
        // Four pixels for each lane; what the last would read behind the block, it reads before them.
        let [a, b, c, d] = [0, 12, 24, 32].map(|at| bytemuck::pod_read_unaligned(&bytes[at..at + LANE]));
        let (quarters, at) = if mirror {
            (lanes([d, c, b, a]), width - (block + 1) * FLOATS)
        } else {
            (lanes([a, b, c, d]), block * FLOATS)
        };
        for ((plane, steps), places) in out.iter_mut().zip(steps).zip(&PLACES[usize::from(mirror)]) {
            let bytes = _mm512_shuffle_epi8(quarters, bytemuck::cast(*places));
            let unit = times(_mm512_cvtepi32_ps(bytes), steps.scale);
            let value = times(_mm512_sub_ps(unit, _mm512_set1_ps(steps.mean)), steps.spread);
            plane[at..at + FLOATS].copy_from_slice(&bytemuck::cast::<_, [f32; FLOATS]>(value));
        }
    }
    blocks.len() * FLOATS
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
    high: __m512i,
    low: __m512i,
}

// === impl Sums ===

impl Sums {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn new() -> Self {
        Self { high: _mm512_setzero_si512(), low: _mm512_set1_epi32(HALF) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vnni")]
    fn add(&mut self, values: __m512i, pair: &Pair) {
        self.high = _mm512_dpwssd_epi32(self.high, values, _mm512_set1_epi32(bytemuck::cast(pair.high)));
        self.low = _mm512_dpwssd_epi32(self.low, values, _mm512_set1_epi32(bytemuck::cast(pair.low)));
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn rounded(self) -> __m512i {
        let sum = _mm512_add_epi32(_mm512_slli_epi32::<LOW_BITS>(self.high), self.low);
        _mm512_srai_epi32::<FRACTION_BITS>(sum)
    }
}

/// Four vectors of sums, rounded to bytes: in each lane those of the first, then of the second and so on.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn pack([a, b, c, d]: [Sums; 4]) -> __m512i {
    let (first, second) = (_mm512_packs_epi32(a.rounded(), b.rounded()), _mm512_packs_epi32(c.rounded(), d.rounded()));
    _mm512_packus_epi16(first, second)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn lanes([a, b, c, d]: [__m128i; ROWS]) -> __m512i {
    let pixels = _mm512_inserti32x4::<1>(_mm512_castsi128_si512(a), b);
    _mm512_inserti32x4::<3>(_mm512_inserti32x4::<2>(pixels, c), d)
}
