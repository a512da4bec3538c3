//! Turning a decoded photo upright, as Pillow's `ImageOps.exif_transpose`.

use headwater_types::{PixelBox, Size};

use crate::exif::UPRIGHT;
use crate::rgb::{Rgb8, rgb_len};
use crate::room::room;

/// Whether the turn by an orientation swaps width and height.
fn swaps(orientation: u8) -> bool {
    matches!(orientation, 5..=8)
}

/// The size of a photo of size `stored` after the turn.
pub(crate) fn turned_size(stored: Size, orientation: u8) -> Size {
    if swaps(orientation) { Size { width: stored.height, height: stored.width } } else { stored }
}

/// Where a box of a photo of size `stored` lies after the turn.
pub(crate) fn turned_box(area: PixelBox, stored: Size, orientation: u8) -> PixelBox {
    let PixelBox { x, y, width, height } = area;
    let (right, below) = (stored.width - x - width, stored.height - y - height);
    let (x, y) = match orientation {
        2 => (right, y),
        3 => (right, below),
        4 => (x, below),
        5 => (y, x),
        6 => (below, x),
        7 => (below, right),
        8 => (y, right),
        _ => (x, y),
    };
    let Size { width, height } = turned_size(area.size(), orientation);
    PixelBox { x, y, width, height }
}

/// Where a box of the photo of size `turned` after the turn lay before it.
pub(crate) fn stored_box(area: PixelBox, turned: Size, orientation: u8) -> PixelBox {
    // A quarter turn is undone by one the other way, everything else by itself.
    turned_box(
        area,
        turned,
        match orientation {
            6 => 8,
            8 => 6,
            same => same,
        },
    )
}

/// Turns `pixels` of size `stored` into the front of `out`, to a size of [`turned_size`].
pub(crate) fn turn(pixels: &[u8], stored: Size, orientation: u8, out: &mut Vec<u8>) {
    debug_assert_ne!(orientation, UPRIGHT, "nothing to turn: the copy would be wasted");
    let (width, height) = (stored.width as usize, stored.height as usize);
    let turned = turned_size(stored, orientation);
    let (source, _) = pixels.as_chunks::<{ Rgb8::CHANNELS }>();
    let (target, _) = room(out, rgb_len(turned)).as_chunks_mut::<{ Rgb8::CHANNELS }>();
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

    #[test]
    fn a_box_of_the_turned_photo_is_the_turned_box() {
        let stored = Size { width: 5, height: 4 };
        let pixels: Vec<u8> = (0..20).flat_map(|v| [v; 3]).collect();
        let cut = |pixels: &[u8], width: u32, area: PixelBox| -> Vec<u8> {
            let rows = area.y..area.y + area.height;
            let places = rows.flat_map(|y| (area.x..area.x + area.width).map(move |x| (y * width + x) as usize));
            places.flat_map(|at| [pixels[at * 3]; 3]).collect()
        };
        let area = PixelBox { x: 1, y: 0, width: 3, height: 2 };
        for orientation in 2..=8 {
            let (mut whole, mut part) = (Vec::new(), Vec::new());
            turn(&pixels, stored, orientation, &mut whole);
            turn(&cut(&pixels, 5, area), area.size(), orientation, &mut part);
            let (turned, place) = (turned_size(stored, orientation), turned_box(area, stored, orientation));
            assert_eq!(part, cut(&whole, turned.width, place), "orientation {orientation}");
            assert_eq!(stored_box(place, turned, orientation), area, "orientation {orientation}");
        }
    }
}
