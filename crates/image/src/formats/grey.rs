//! Grey levels, as Pillow converts what has more than 8 bits, or fewer: it clips, and never scales down.

use crate::rgb::Rgb8;

/// Makes each pixel of a row grey, of the level for its place.
pub(super) fn spread(row: &mut [u8], level: impl Fn(usize) -> u8) {
    for (x, pixel) in row.as_chunks_mut::<{ Rgb8::CHANNELS }>().0.iter_mut().enumerate() {
        *pixel = [level(x); Rgb8::CHANNELS];
    }
}

/// The level of a float (Pillow's mode `F`): clipped, and what is behind the point is cut off. What is no number is
/// black.
pub(super) fn of_float(value: f32) -> u8 {
    value as u8
}
