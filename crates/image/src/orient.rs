//! Turning a decoded photo upright, as Pillow's `ImageOps.exif_transpose`.

use headwater_types::Size;

use crate::exif::UPRIGHT;
use crate::rgb::{Rgb8, rgb_len};

/// Whether the turn swaps width and height.
fn swaps(orientation: u8) -> bool {
    matches!(orientation, 5..=8)
}

/// Size after the turn.
pub(crate) fn turned_size(stored: Size, orientation: u8) -> Size {
    if swaps(orientation) { Size { width: stored.height, height: stored.width } } else { stored }
}

/// Turns `pixels` of size `stored` into `out`, whose size is [`turned_size`].
pub(crate) fn turn(pixels: &[u8], stored: Size, orientation: u8, out: &mut Vec<u8>) {
    debug_assert_ne!(orientation, UPRIGHT, "nothing to turn: the copy would be wasted");
    let (width, height) = (stored.width as usize, stored.height as usize);
    let turned = turned_size(stored, orientation);
    out.resize(rgb_len(turned), 0);
    let (source, _) = pixels.as_chunks::<{ Rgb8::CHANNELS }>();
    let (target, _) = out.as_chunks_mut::<{ Rgb8::CHANNELS }>();
    for (y, row) in target.chunks_exact_mut(turned.width as usize).enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            // Where the pixel comes from, EXIF 2.32 table 6 read backwards.
            let (from_x, from_y) = match orientation {
                2 => (width - 1 - x, y),
                3 => (width - 1 - x, height - 1 - y),
                4 => (x, height - 1 - y),
                5 => (y, x),
                6 => (y, height - 1 - x),
                7 => (width - 1 - y, height - 1 - x),
                8 => (width - 1 - y, x),
                _ => (x, y),
            };
            *pixel = source[from_y * width + from_x];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_orientation_turns_as_pillow_does() {
        // 1 2 3
        // 4 5 6     one number per pixel
        let stored = Size { width: 3, height: 2 };
        let pixels: Vec<u8> = (1..=6).flat_map(|v| [v; 3]).collect();
        for (orientation, expected) in [
            (2, [3, 2, 1, 6, 5, 4]),
            (3, [6, 5, 4, 3, 2, 1]),
            (4, [4, 5, 6, 1, 2, 3]),
            (5, [1, 4, 2, 5, 3, 6]),
            (6, [4, 1, 5, 2, 6, 3]),
            (7, [6, 3, 5, 2, 4, 1]),
            (8, [3, 6, 2, 5, 1, 4]),
        ] {
            let mut out = Vec::new();
            turn(&pixels, stored, orientation, &mut out);
            assert_eq!(out.iter().step_by(3).copied().collect::<Vec<_>>(), expected, "orientation {orientation}");
        }
    }
}
