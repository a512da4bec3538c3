//! A picture in memory: RGB8, row by row, and the one drawing that all generated photos share.

use crate::dice::Dice;
use crate::texture::Texture;

/// Pixels as red, green, blue bytes, from the top left, without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// `height x width x 3` bytes.
    pub rgb: Vec<u8>,
}

type Colour = [f64; 3];

/// Difference in brightness of a photo's two colours, of 255.
const CONTRAST: std::ops::Range<f64> = 90.0..170.0;

// === impl Picture ===

impl Picture {
    /// A picture from a function of column and row.
    pub fn from_fn(width: u32, height: u32, mut pixel: impl FnMut(u32, u32) -> [u8; 3]) -> Self {
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let rgb = places.flat_map(|(x, y)| pixel(x, y)).collect();
        Self { width, height, rgb }
    }

    /// A photo of that texture: two random colours, random place, size and turn, uneven light and some noise. Colours
    /// do not depend on the texture, so that no colour gives the class away.
    pub fn of(texture: Texture, width: u32, height: u32, seed: u64) -> Self {
        let mut dice = Dice::new(seed, texture.name());
        let (dark, light) = colours(&mut dice);
        let mask = texture.mask(&mut dice);
        let glow = [dice.range(-30.0, 30.0), dice.range(-30.0, 30.0)];
        let grain = dice.range(1.0, 8.0);
        let side = f64::from(width.min(height));
        Self::from_fn(width, height, |x, y| {
            // Coordinates in units of the shorter side, from the middle.
            let at = |place: u32, length: u32| (f64::from(place) + 0.5 - f64::from(length) / 2.0) / side;
            let (u, v) = (at(x, width), at(y, height));
            let share = mask.at(u, v);
            let light_here = glow[0] * u + glow[1] * v;
            let noise = grain * (dice.unit() + dice.unit() - 1.0) * 1.7;
            std::array::from_fn(|channel| {
                let value = dark[channel] + (light[channel] - dark[channel]) * share + light_here + noise;
                value.round().clamp(0.0, 255.0) as u8
            })
        })
    }
}

/// Two colours that differ in brightness by enough for the texture to be seen, either one the brighter.
fn colours(dice: &mut Dice) -> (Colour, Colour) {
    let brightness = |colour: &Colour| 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2];
    let colour = |dice: &mut Dice| -> Colour { std::array::from_fn(|_| dice.range(10.0, 245.0)) };
    let first = colour(dice);
    for _ in 0..256 {
        let second = colour(dice);
        if CONTRAST.contains(&(brightness(&first) - brightness(&second)).abs()) {
            return (first, second);
        }
    }
    // Out of luck: the grey that is right always exists, on one side or the other.
    let step = if brightness(&first) < 128.0 { CONTRAST.start } else { -CONTRAST.start };
    (first, [brightness(&first) + step; 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_pixels_and_another_seed_others() {
        let picture = |seed| Picture::of(Texture::Rings, 40, 30, seed);
        assert_eq!(picture(1), picture(1));
        assert_ne!(picture(1), picture(2));
        assert_eq!(picture(1).rgb.len(), 40 * 30 * 3);
    }
}
