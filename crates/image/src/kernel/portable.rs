//! The inner loops for every machine, eight products at a time.
//!
//! `i16x8::dot` multiplies eight 16-bit numbers and adds neighbours: two taps of four channels at once. Weights have 23
//! bits, so that it runs twice, for their high and their low halves ([`Pair`]). `wide` makes of it what the machine has
//! (SSE2, NEON, plain code); integers come out the same everywhere.

use wide::{i16x8, i32x4, i32x8, u8x16};

use super::rows::ROWS;
use crate::rgb::CHANNELS;
use crate::taps::{FRACTION_BITS, HALF, LOW_BITS, Pair, Taps};

/// Bytes of a vector.
const VECTOR: usize = 16;

/// Resamples rows as [`Across::resample`](super::Across::resample) does.
pub(super) fn horizontal(input: [&[u8]; ROWS], taps: &Taps, out: &mut [u8], stride: usize) {
    for (x, (span, pairs)) in taps.iter().enumerate() {
        let mut sums = [Sums::new(); ROWS];
        let start = span.start as usize * CHANNELS;
        for (place, pair) in pairs.iter().enumerate() {
            let weights = Weights::new(pair);
            let at = start + place * 2 * CHANNELS;
            for (row, sums) in input.iter().zip(&mut sums) {
                // r0 g0 b0 ... and r1 g1 b1 ... to r0 r1 g0 g1 b0 b1 ...; the fourth pair is not used.
                let pixels = &row[at..at + CHANNELS + VECTOR];
                let woven = u8x16::unpack_low(load(pixels), load(&pixels[CHANNELS..]));
                sums.add(i16x8::from_u8x16_low(woven), weights);
            }
        }
        // The fourth byte of each pixel is overwritten by the next one's first.
        let pixels = pack(sums);
        for (row, pixel) in out.chunks_exact_mut(stride).zip(pixels.as_chunks::<4>().0) {
            row[x * CHANNELS..][..CHANNELS + 1].copy_from_slice(pixel);
        }
    }
}

/// Makes a row of rows as [`vertical`](super::vertical) does.
pub(super) fn vertical(rows: &[u8], stride: usize, count: usize, pairs: &[Pair], out: &mut [u8]) {
    let Some(last) = out.len().checked_sub(VECTOR) else {
        return vertical_narrow(rows, stride, count, pairs, out);
    };
    let mut x = 0;
    loop {
        let mut sums = [Sums::new(); 4];
        let columns = &rows[x..(count - 1) * stride + x + VECTOR];
        for (place, pair) in pairs.iter().enumerate() {
            let weights = Weights::new(pair);
            let upper = load(&columns[2 * place * stride..]);
            // Where taps are odd in number, the last has weight 0 and any row will do.
            let lower = load(&columns[(2 * place + 1).min(count - 1) * stride..]);
            let (first, second) = (u8x16::unpack_low(upper, lower), u8x16::unpack_high(upper, lower));
            sums[0].add(i16x8::from_u8x16_low(first), weights);
            sums[1].add(i16x8::from_u8x16_high(first), weights);
            sums[2].add(i16x8::from_u8x16_low(second), weights);
            sums[3].add(i16x8::from_u8x16_high(second), weights);
        }
        out[x..x + VECTOR].copy_from_slice(&pack(sums));
        if x == last {
            break;
        }
        // The last vector may overlap the one before it: it computes the same bytes again.
        x = (x + VECTOR).min(last);
    }
}

/// Makes a row that is shorter than a vector.
fn vertical_narrow(rows: &[u8], stride: usize, count: usize, pairs: &[Pair], out: &mut [u8]) {
    for (x, value) in out.iter_mut().enumerate() {
        let weights = pairs.iter().flat_map(|pair| pair.weights());
        let column = rows[x..].iter().step_by(stride).take(count);
        let sum = column.zip(weights).fold(HALF, |sum, (&source, weight)| sum + i32::from(source) * weight);
        *value = (sum >> FRACTION_BITS).clamp(0, 255) as u8;
    }
}

/// Makes floats as [`floats`](super::floats) does, by table.
pub(super) fn floats(table: &[[f32; 256]; CHANNELS], pixels: &[u8], mirror: bool, out: [&mut [f32]; CHANNELS]) {
    let (pixels, _) = pixels.as_chunks::<CHANNELS>();
    let [red, green, blue] = out;
    let places = red.iter_mut().zip(green).zip(blue);
    let put = |(((red, green), blue), &[r, g, b]): (((&mut f32, &mut f32), &mut f32), &[u8; CHANNELS])| {
        *red = table[0][usize::from(r)];
        *green = table[1][usize::from(g)];
        *blue = table[2][usize::from(b)];
    };
    if mirror {
        places.zip(pixels.iter().rev()).for_each(put);
    } else {
        places.zip(pixels).for_each(put);
    }
}

/// Two weights, in halves, for all lanes.
#[derive(Clone, Copy)]
struct Weights {
    high: i16x8,
    low: i16x8,
}

/// Four sums of products with weights in halves.
#[derive(Clone, Copy)]
struct Sums {
    high: i32x4,
    low: i32x4,
}

// === impl Weights ===

impl Weights {
    #[inline(always)]
    fn new(pair: &Pair) -> Self {
        let both = |halves: [i16; 2]| bytemuck::cast(i32x4::splat(bytemuck::cast(halves)));
        Self { high: both(pair.high), low: both(pair.low) }
    }
}

// === impl Sums ===

impl Sums {
    #[inline(always)]
    fn new() -> Self {
        Self { high: i32x4::splat(0), low: i32x4::splat(HALF) }
    }

    #[inline(always)]
    fn add(&mut self, values: i16x8, weights: Weights) {
        self.high += values.dot(weights.high);
        self.low += values.dot(weights.low);
    }

    #[inline(always)]
    fn rounded(self) -> i32x4 {
        ((self.high << LOW_BITS) + self.low) >> FRACTION_BITS
    }
}

/// Sixteen sums, rounded to bytes.
#[inline(always)]
fn pack(sums: [Sums; 4]) -> [u8; VECTOR] {
    let [a, b, c, d] = sums.map(Sums::rounded);
    u8x16::narrow_i16x8(narrow(a, b), narrow(c, d)).to_array()
}

#[inline(always)]
fn load(bytes: &[u8]) -> u8x16 {
    bytemuck::pod_read_unaligned(&bytes[..VECTOR])
}

#[inline(always)]
fn narrow(a: i32x4, b: i32x4) -> i16x8 {
    i16x8::from_i32x8_saturate(bytemuck::cast::<[i32x4; 2], i32x8>([a, b]))
}
