//! At what fraction of its size a JPEG is decoded, where its recipe says `decode = "fast"`.
//!
//! A JPEG can be decoded to M/8 of its size by transforming each block of 8 x 8 coefficients to M x M pixels, which
//! leaves out work for detail that the resize would average away. M is a pure function of recipe and framing, so that
//! storage side and client agree without telling each other. Its pixels lie on a grid of its own: pixel edges at 8/M of
//! the photo's.

use crate::area::{PixelBox, RealBox, Size};
use crate::framing::{CutFrom, Framing};
use crate::recipe::{DecodeMode, Stages};

/// A fraction of a photo's size, in eighths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scale {
    eighths: u8,
}

/// Pixels of the scaled photo for each of the output, in each direction, below which it is not scaled further. Halving
/// has Pillow's filter look at pixels that have lost their finest detail: crops of photos of 1024 x 768 come out 1.4
/// levels off on average where 1.0 to 1.25 are left, and 1.1 where there are more; with those that stay whole, 0.25
/// levels in all. Halving at 1.0 would be 0.73, the same saving for each; sizes between the halves have no vector code,
/// and are slower than the whole.
const SPARE: f64 = 1.25;

/// Pixels that are left of the region in each direction at least: libjpeg treats rows of less than three samples of
/// chroma otherwise than longer ones, and no piece of a photo should come to that by its scale.
const SHORTEST: f64 = 16.0;

// === impl Scale ===

impl Scale {
    /// The size as stored.
    pub const WHOLE: Self = Self { eighths: 8 };

    /// Every scale at which a recipe may have a photo decoded, the smallest first.
    pub fn all(mode: DecodeMode) -> &'static [Self] {
        const FAST: [Scale; 4] = [Scale { eighths: 1 }, Scale { eighths: 2 }, Scale { eighths: 4 }, Scale::WHOLE];
        match mode {
            DecodeMode::Exact => &FAST[3..],
            DecodeMode::Fast => &FAST,
        }
    }

    /// What a recipe allows for a sample framed like this, if its photo is a JPEG that is not turned: the smallest of a
    /// half, a quarter and an eighth that leaves enough of the region, in both directions.
    pub fn of(stages: &Stages, framing: &Framing) -> Self {
        let Framing { region, output, .. } = framing;
        let ratio = (region.width / f64::from(output.width)).min(region.height / f64::from(output.height));
        let shorter = region.width.min(region.height);
        let leaves_enough = |scale: &Self| {
            let factor = f64::from(scale.eighths) / 8.0;
            ratio * factor >= SPARE && shorter * factor >= SHORTEST
        };
        Self::all(stages.decode).iter().copied().find(leaves_enough).unwrap_or(Self::WHOLE)
    }

    /// The numerator M of M/8: 1 to 8.
    pub fn eighths(self) -> u8 {
        self.eighths
    }

    /// Size of a photo at this scale: a pixel that is begun counts.
    pub fn size(self, photo: Size) -> Size {
        let Size { width, height } = photo;
        Size { width: self.end(width), height: self.end(height) }
    }

    /// A framing in the coordinates of the photo at this scale. What may be read is widened to whole pixels.
    pub fn framing(self, framing: &Framing) -> Framing {
        if self == Self::WHOLE {
            return *framing;
        }
        let Framing { readable, region, cut_from, .. } = *framing;
        let (x, y) = (self.start(readable.x), self.start(readable.y));
        let (right, bottom) = (self.end(readable.x + readable.width), self.end(readable.y + readable.height));
        Framing {
            readable: PixelBox { x, y, width: right - x, height: bottom - y },
            region: self.real(region),
            cut_from: cut_from.map(|whole| CutFrom { region: self.real(whole.region), ..whole }),
            ..*framing
        }
    }

    fn real(self, region: RealBox) -> RealBox {
        let scaled = |length: f64| length * f64::from(self.eighths) / 8.0;
        let RealBox { x, y, width, height } = region;
        RealBox { x: scaled(x), y: scaled(y), width: scaled(width), height: scaled(height) }
    }

    fn start(self, position: u32) -> u32 {
        (u64::from(position) * u64::from(self.eighths) / 8) as u32
    }

    fn end(self, position: u32) -> u32 {
        (u64::from(position) * u64::from(self.eighths)).div_ceil(8) as u32
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Address, Draws, Recipe};

    fn framed(recipe: &str, width: u32, height: u32, epoch: u64) -> (Recipe, Framing) {
        let recipe = Recipe::builtin(recipe).unwrap();
        let key = "a".parse().unwrap();
        let draws = Draws { address: Address::new(1, epoch), key: &key };
        let framing = Framing::new(recipe.stages(), Size { width, height }, &draws);
        (recipe, framing)
    }

    proptest! {
        #[test]
        fn a_scaled_framing_lies_in_the_scaled_photo(width in 1_u32..20_000, height in 1_u32..20_000, epoch: u64) {
            let (recipe, framing) = framed("imagenet-train-fast", width, height, epoch);
            let scale = Scale::of(recipe.stages(), &framing);
            let scaled = scale.framing(&framing);
            let (size, readable, region) = (scale.size(Size { width, height }), scaled.readable, scaled.region);
            prop_assert!(readable.x + readable.width <= size.width && readable.y + readable.height <= size.height);
            prop_assert!(region.x >= readable.x.into() && region.y >= readable.y.into());
            prop_assert!(region.x + region.width <= f64::from(readable.x + readable.width));
            prop_assert!(region.y + region.height <= f64::from(readable.y + readable.height));
            if scale != Scale::WHOLE {
                prop_assert!(region.width >= 1.25 * 224.0 && region.height >= 1.25 * 224.0);
            }
        }
    }

    #[test]
    fn only_large_crops_of_fast_recipes_are_scaled() {
        let eighths = |recipe: &str, side: u32| {
            let (recipe, mut framing) = framed(recipe, 20_000, 20_000, 0);
            let side = f64::from(side);
            framing.region = RealBox { x: 0.0, y: 0.0, width: side + 1.0, height: side };
            Scale::of(recipe.stages(), &framing).eighths()
        };
        for (side, expected) in [(224, 8), (559, 8), (560, 4), (1119, 4), (1120, 2), (2239, 2), (2240, 1), (9000, 1)] {
            assert_eq!(eighths("imagenet-train-fast", side), expected, "{side}");
            assert_eq!(eighths("imagenet-train", side), 8, "{side}");
        }
    }

    #[test]
    fn a_pixel_that_is_begun_counts() {
        let half = Scale { eighths: 4 };
        assert_eq!(half.size(Size { width: 7, height: 8 }), Size { width: 4, height: 4 });
        assert_eq!(Scale { eighths: 1 }.size(Size { width: 1, height: 65_535 }), Size { width: 1, height: 8192 });
    }
}
