//! Samples to pixels, one pixel at a time.

use crate::formats::jpeg::samples::row::Samples;
use crate::rgb::CHANNELS;

/// Makes pixels as [`pixels`](crate::formats::jpeg::samples::pixels) does.
pub(in crate::formats::jpeg::samples) fn pixels(samples: &Samples<'_>, out: &mut [u8]) {
    let out = out.as_chunks_mut::<CHANNELS>().0.iter_mut().enumerate();
    match *samples {
        Samples::Grey(grey) => out.for_each(|(x, pixel)| *pixel = [grey[x]; CHANNELS]),
        Samples::Rgb(planes) => out.for_each(|(x, pixel)| *pixel = planes.map(|plane| plane[x])),
        Samples::YCbCr { y, chroma } => out.for_each(|(x, pixel)| *pixel = rgb(y[x], chroma.map(|plane| plane[x]))),
        Samples::Halved { y, chroma } => out.for_each(|(x, pixel)| {
            *pixel = rgb(y[x], chroma.map(|row| between(x, |place| u16::from(row[place]), 1, [1, 2]) as u8));
        }),
        Samples::Quartered { y, chroma } => out.for_each(|(x, pixel)| {
            let column = |[near, far]: [&[u8]; 2], place: usize| u16::from(near[place]) * 3 + u16::from(far[place]);
            *pixel = rgb(y[x], chroma.map(|rows| between(x, |place| column(rows, place), 4, [8, 7]) as u8));
        }),
    }
}

/// A value between two of half as many: three parts of the nearer one, and one of the other, which lies on the left of
/// even ones and on the right of odd ones. Halves are rounded up in the one case and down in the other.
fn between(x: usize, value: impl Fn(usize) -> u16, unit: u16, rounding: [u16; 2]) -> u16 {
    let near = x / 2 + 1;
    let far = if x.is_multiple_of(2) { near - 1 } else { near + 1 };
    (value(near) * 3 + value(far) + rounding[x % 2]) / (4 * unit)
}

/// `ycc_rgb_convert`, whose factors have 16 fractional bits.
pub(in crate::formats::jpeg::samples) fn rgb(y: u8, [blue, red]: [u8; 2]) -> [u8; CHANNELS] {
    const HALF: i32 = 1 << 15;
    let (y, blue, red) = (i32::from(y), i32::from(blue) - 128, i32::from(red) - 128);
    let r = y + ((91881 * red + HALF) >> 16);
    let g = y + ((-22554 * blue - 46802 * red + HALF) >> 16);
    let b = y + ((116130 * blue + HALF) >> 16);
    [r, g, b].map(|value| value.clamp(0, 255) as u8)
}
