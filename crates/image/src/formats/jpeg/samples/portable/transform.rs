//! The inverse transform, one block at a time.

use crate::formats::jpeg::samples::block::{BLOCK, Coefficients};

/// Fractional bits of the transform's factors, and of what goes from its first pass to its second.
const FACTOR_BITS: u32 = 13;
const PASS_BITS: u32 = 2;
/// Bits by which the second pass, a factor of eight too large, is shifted down.
const SCALE_BITS: u32 = 3;

/// Transforms as [`inverse`](crate::formats::jpeg::samples::inverse) does.
pub(in crate::formats::jpeg::samples) fn inverse(side: usize, blocks: Coefficients<'_>, out: &mut [u8], stride: usize) {
    for (x, values) in blocks.values.as_chunks::<BLOCK>().0.iter().enumerate() {
        let out = &mut out[x * side..];
        match side {
            8 => whole(values, blocks.quantisation, out, stride),
            4 => half(values, blocks.quantisation, out, stride),
            2 => quarter(values, blocks.quantisation, out, stride),
            _ => out[0] = eighth(values[0], blocks.quantisation[0]),
        }
    }
}

/// `jsimd_idct_islow_avx2`: the transform of Loeffler, Ligtenberg and Moschytz with 12 multiplications.
pub(in crate::formats::jpeg::samples) fn whole(
    values: &[i16; BLOCK],
    quantisation: &[i16; BLOCK],
    out: &mut [u8],
    stride: usize,
) {
    let block: [i16; BLOCK] = std::array::from_fn(|i| values[i].wrapping_mul(quantisation[i]));
    let mut middle = [0_i16; BLOCK];
    let only_first_row = values[8..].iter().all(|&value| value == 0);
    for x in 0..8 {
        let column: [i16; 8] = std::array::from_fn(|y| block[y * 8 + x]);
        let column = if only_first_row {
            [column[0].wrapping_shl(PASS_BITS); 8]
        } else {
            eight(column, FACTOR_BITS - PASS_BITS)
        };
        for (y, value) in column.into_iter().enumerate() {
            middle[y * 8 + x] = value;
        }
    }
    for (y, row) in middle.as_chunks::<8>().0.iter().enumerate() {
        let row = eight(*row, FACTOR_BITS + PASS_BITS + SCALE_BITS);
        out[y * stride..][..8].copy_from_slice(&row.map(sample));
    }
}

/// A pass over eight values. Sums of two have 16 bits, those of products 32, and results 16, saturated.
fn eight(v: [i16; 8], shift: u32) -> [i16; 8] {
    let sum = |a: i16, b: i16| i32::from(a.wrapping_add(b));
    let dot = |a: i32, b: i32, x: i32, y: i32| (a * x).wrapping_add(b * y);
    let [_, v1, v2, v3, _, v5, v6, v7] = v.map(i32::from);

    let even = [sum(v[0], v[4]) << FACTOR_BITS, i32::from(v[0].wrapping_sub(v[4])) << FACTOR_BITS];
    let (inner, outer) = (dot(v2, v6, 4433, 4433 - 15137), dot(v2, v6, 4433 + 6270, 4433));
    let up = [even[0].wrapping_add(outer), even[1].wrapping_add(inner)];
    let down = [even[1].wrapping_sub(inner), even[0].wrapping_sub(outer)];

    let (z3, z4) = (sum(v[7], v[3]), sum(v[5], v[1]));
    let (z3, z4) = (dot(z3, z4, 9633 - 16069, 9633), dot(z3, z4, 9633, 9633 - 3196));
    let odd = [
        dot(v7, v1, -7373, 12299 - 7373).wrapping_add(z4),
        dot(v5, v3, -20995, 25172 - 20995).wrapping_add(z3),
        dot(v5, v3, 16819 - 20995, -20995).wrapping_add(z4),
        dot(v7, v1, 2446 - 7373, -7373).wrapping_add(z3),
    ];
    let even = [up[0], up[1], down[0], down[1]];
    std::array::from_fn(|i| {
        let value = if i < 4 { even[i].wrapping_add(odd[i]) } else { even[7 - i].wrapping_sub(odd[7 - i]) };
        narrow(value.wrapping_add(1 << (shift - 1)) >> shift)
    })
}

/// `jsimd_idct_4x4_sse2`.
fn half(values: &[i16; BLOCK], quantisation: &[i16; BLOCK], out: &mut [u8], stride: usize) {
    let block: [i16; BLOCK] = std::array::from_fn(|i| values[i].wrapping_mul(quantisation[i]));
    let mut middle = [[0_i16; 8]; 4];
    // The fifth row of coefficients is not looked at.
    let only_first_row = values[8..32].iter().chain(&values[40..]).all(|&value| value == 0);
    for x in 0..8 {
        let column: [i16; 8] = std::array::from_fn(|y| block[y * 8 + x]);
        let column = if only_first_row {
            [column[0].wrapping_shl(PASS_BITS); 4]
        } else {
            four(column, FACTOR_BITS - PASS_BITS + 1)
        };
        for (row, value) in middle.iter_mut().zip(column) {
            row[x] = value;
        }
    }
    for (y, row) in middle.into_iter().enumerate() {
        let row = four(row, FACTOR_BITS + PASS_BITS + SCALE_BITS + 1);
        out[y * stride..][..4].copy_from_slice(&row.map(sample));
    }
}

/// A pass over eight values to four; the fifth is not looked at.
fn four([v0, v1, v2, v3, _, v5, v6, v7]: [i16; 8], shift: u32) -> [i16; 4] {
    let dot = |pairs: [(i16, i32); 2]| {
        let [(a, x), (b, y)] = pairs;
        (i32::from(a) * x).wrapping_add(i32::from(b) * y)
    };
    let middle = i32::from(v0) << (FACTOR_BITS + 1);
    let even = dot([(v2, 15137), (v6, -6270)]);
    let (up, down) = (middle.wrapping_add(even), middle.wrapping_sub(even));
    let inner = dot([(v1, 8697), (v3, -17799)]).wrapping_add(dot([(v5, 11893), (v7, -1730)]));
    let outer = dot([(v1, 20995), (v3, 7373)]).wrapping_add(dot([(v5, -4926), (v7, -4176)]));
    [up.wrapping_add(outer), down.wrapping_add(inner), down.wrapping_sub(inner), up.wrapping_sub(outer)]
        .map(|value| narrow(value.wrapping_add(1 << (shift - 1)) >> shift))
}

/// `jsimd_idct_2x2_sse2`, which takes the first and the odd columns and rows.
fn quarter(values: &[i16; BLOCK], quantisation: &[i16; BLOCK], out: &mut [u8], stride: usize) {
    const SHIFT: u32 = FACTOR_BITS - PASS_BITS + 2;
    let at = |y: usize, x: usize| values[y * 8 + x].wrapping_mul(quantisation[y * 8 + x]);
    let odd = |v: [i16; 4]| {
        let [v1, v3, v5, v7] = v.map(i32::from);
        let pairs = [(v1 * 29692).wrapping_add(v3 * -10426), (v5 * 6967).wrapping_add(v7 * -5906)];
        pairs[0].wrapping_add(pairs[1])
    };
    let column = |x: usize| {
        let odd = odd([1, 3, 5, 7].map(|y| at(y, x)));
        let even = i32::from(at(0, x)) << (FACTOR_BITS + 2);
        [even.wrapping_add(odd), even.wrapping_sub(odd)].map(|value| value.wrapping_add(1 << (SHIFT - 1)) >> SHIFT)
    };
    let (first, odds) = (column(0), [1, 3, 5, 7].map(column));
    for y in 0..2 {
        const SHIFT: u32 = FACTOR_BITS + PASS_BITS + SCALE_BITS + 2;
        let odd = odd(odds.map(|column| narrow(column[y])));
        // The first column keeps its 32 bits from pass to pass.
        let even = first[y].wrapping_shl(FACTOR_BITS + 2);
        let row = [even.wrapping_add(odd), even.wrapping_sub(odd)];
        let row = row.map(|value| sample(narrow(value.wrapping_add(1 << (SHIFT - 1)) >> SHIFT)));
        out[y * stride..][..2].copy_from_slice(&row);
    }
}

/// `jpeg_idct_1x1`: an eighth of the first coefficient, by a table that begins anew after 1,024 values.
fn eighth(value: i16, quantisation: i16) -> u8 {
    let value = i32::from(value) * i32::from(quantisation);
    match ((value + 4) >> SCALE_BITS) & 1023 {
        low @ 0..512 => (low + 128).min(255) as u8,
        high => (high - 1024 + 128).max(0) as u8,
    }
}

fn narrow(value: i32) -> i16 {
    value.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

fn sample(value: i16) -> u8 {
    (value.clamp(-128, 127) + 128) as u8
}
