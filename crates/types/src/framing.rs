//! Framing: which part of a decoded photo becomes the recipe's output, and whether it is mirrored.
//!
//! A pure function of the photo's size and of (seed, epoch, key), so that storage side and client agree without telling
//! each other. `exp` and `log` come from the `libm` crate: the platform's own may differ in the last bit, and with it
//! the box.

use crate::address::Draws;
use crate::area::{PixelBox, Position, RealBox, Size};
use crate::randomness::{RandomStage, Stream};
use crate::recipe::{Geometry, Interpolation, Stages, Steps};

/// What a recipe does to the geometry of one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Framing {
    /// The pixels that the resize may read: those of the box where the recipe cuts first, all where it does not.
    pub readable: PixelBox,
    /// The region that is mapped onto the output; within `readable`, in the photo's coordinates.
    pub region: RealBox,
    /// The larger output that this one is cut out of, where its recipe resizes first and cuts then: the same mapping,
    /// in torchvision's numbers.
    pub cut_from: Option<CutFrom>,
    /// Size of the output.
    pub output: Size,
    /// The filter of the resize: how far around an output pixel it reads.
    pub interpolation: Interpolation,
    /// Whether the output is mirrored left to right.
    pub flip: bool,
}

/// A resize of which a part is computed: that part's pixels are those of the whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CutFrom {
    /// What is mapped onto the whole; in the photo's coordinates.
    pub region: RealBox,
    /// Size of the whole.
    pub size: Size,
    /// The part's first pixel.
    pub corner: Position,
}

// === impl Framing ===

impl Framing {
    /// The framing of a photo of this size (after any turn by its EXIF orientation). Both sides must be at least 1.
    pub fn new(stages: &Stages, photo: Size, draws: &Draws<'_>) -> Self {
        let whole = PixelBox::whole(photo);
        let output = stages.geometry.size();
        let mut cut_from = None;
        let (readable, region) = match stages.geometry {
            Geometry::RandomResizedCrop { scale, ratio, .. } => {
                let mut stream = Stream::new(draws, RandomStage::Crop);
                let crop = random_crop(photo, scale, ratio, &mut stream);
                (crop, crop.into())
            }
            Geometry::ResizeThenCenterCrop { shorter, size, steps } => {
                let resized = CutFrom::center(photo, shorter, size);
                cut_from = (steps == Steps::Two).then_some(resized);
                (whole, resized.part(size))
            }
            Geometry::CenterCropThenResize { fraction, .. } => (whole, center_square(photo, fraction)),
            Geometry::Resize { .. } => (whole, whole.into()),
        };
        let (interpolation, flip) = (stages.interpolation, Self::flips(stages, draws));
        Self { readable, region, cut_from, output, interpolation, flip }
    }

    /// Whether the output is mirrored: needs no size, so that who gets a sample cut after its crop can tell.
    pub fn flips(stages: &Stages, draws: &Draws<'_>) -> bool {
        stages.flip.is_some_and(|p| Stream::new(draws, RandomStage::Flip).unit() < p)
    }
}

/// torchvision `RandomResizedCrop.get_params`: ten tries at a box of random area and log-uniform aspect ratio, then the
/// largest central box of an allowed aspect.
fn random_crop(photo: Size, scale: [f64; 2], ratio: [f64; 2], stream: &mut Stream) -> PixelBox {
    let (width, height) = (f64::from(photo.width), f64::from(photo.height));
    let log_ratio = ratio.map(libm::log);
    for _ in 0..10 {
        let area = width * height * stream.range(scale[0], scale[1]);
        let aspect = libm::exp(stream.range(log_ratio[0], log_ratio[1]));
        // `as` saturates, and Python's round() is half to even.
        let w = (area * aspect).sqrt().round_ties_even() as u32;
        let h = (area / aspect).sqrt().round_ties_even() as u32;
        if (1..=photo.width).contains(&w) && (1..=photo.height).contains(&h) {
            let y = stream.below(photo.height - h + 1);
            let x = stream.below(photo.width - w + 1);
            return PixelBox { x, y, width: w, height: h };
        }
    }
    let whole = width / height;
    let (w, h) = if whole < ratio[0] {
        (photo.width, (width / ratio[0]).round_ties_even() as u32)
    } else if whole > ratio[1] {
        ((height * ratio[1]).round_ties_even() as u32, photo.height)
    } else {
        (photo.width, photo.height)
    };
    let (w, h) = (w.clamp(1, photo.width), h.clamp(1, photo.height));
    PixelBox { x: (photo.width - w) / 2, y: (photo.height - h) / 2, width: w, height: h }
}

fn center_square(photo: Size, fraction: f64) -> RealBox {
    let (width, height) = (f64::from(photo.width), f64::from(photo.height));
    let side = fraction * width.min(height);
    RealBox { x: (width - side) / 2.0, y: (height - side) / 2.0, width: side, height: side }
}

// === impl CutFrom ===

impl CutFrom {
    /// torchvision `Resize(shorter)` then `CenterCrop(size)`. The crop is no larger than the shorter side.
    fn center(photo: Size, shorter: u32, size: Size) -> Self {
        let long_side = |long: u32, short: u32| {
            let length = u64::from(shorter) * u64::from(long) / u64::from(short);
            u32::try_from(length).unwrap_or(u32::MAX)
        };
        let (width, height) = if photo.width <= photo.height {
            (shorter, long_side(photo.height, photo.width))
        } else {
            (long_side(photo.width, photo.height), shorter)
        };
        // Python's round() is half to even.
        let first = |whole: u32, part: u32| ((f64::from(whole) - f64::from(part)) / 2.0).round_ties_even() as u32;
        let corner = Position { x: first(width, size.width), y: first(height, size.height) };
        Self { region: PixelBox::whole(photo).into(), size: Size { width, height }, corner }
    }

    /// Where the part of this size lies in the photo.
    fn part(&self, size: Size) -> RealBox {
        let Self { region, size: whole, corner } = self;
        let (sx, sy) = (region.width / f64::from(whole.width), region.height / f64::from(whole.height));
        RealBox {
            x: f64::from(corner.x) * sx,
            y: f64::from(corner.y) * sy,
            width: f64::from(size.width) * sx,
            height: f64::from(size.height) * sy,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::address::Address;
    use crate::recipe::Recipe;

    fn frame(recipe: &str, width: u32, height: u32, key: &str, epoch: u64) -> Framing {
        let key = key.parse().unwrap();
        let draws = Draws { address: Address::new(1, epoch), key: &key };
        Framing::new(Recipe::builtin(recipe).unwrap().stages(), Size { width, height }, &draws)
    }

    proptest! {
        #[test]
        fn a_random_crop_lies_in_the_photo(width in 1_u32..70_000, height in 1_u32..70_000, epoch: u64) {
            let framing = frame("imagenet-train", width, height, "a", epoch);
            let b = framing.readable;
            prop_assert!(b.width >= 1 && b.height >= 1);
            prop_assert!(u64::from(b.x) + u64::from(b.width) <= u64::from(width));
            prop_assert!(u64::from(b.y) + u64::from(b.height) <= u64::from(height));
            prop_assert_eq!(framing.region, RealBox::from(b));
        }

        #[test]
        fn a_central_region_lies_in_the_photo(width in 1_u32..70_000, height in 1_u32..70_000) {
            for recipe in ["imagenet-eval", "mobilenet-eval"] {
                let r = frame(recipe, width, height, "a", 0).region;
                prop_assert!(r.x >= 0.0 && r.y >= 0.0 && r.width > 0.0 && r.height > 0.0, "{:?}", r);
                prop_assert!(r.x + r.width <= f64::from(width) + 1e-6 && r.y + r.height <= f64::from(height) + 1e-6);
            }
        }
    }

    #[test]
    fn areas_and_flips_are_spread_as_torchvision_spreads_them() {
        let frames: Vec<_> = (0..4_000).map(|epoch| frame("imagenet-train", 500, 400, "a", epoch)).collect();
        let area = |f: &Framing| f.region.width * f.region.height / 200_000.0;
        let mean = frames.iter().map(area).sum::<f64>() / 4e3;
        // Uniform in 0.08..1 would give 0.54; large boxes often do not fit and are drawn again. Python's own get_params
        // gives 0.452 over 40,000 draws at this size.
        assert!((0.44..0.47).contains(&mean), "{mean}");
        assert!(frames.iter().map(area).fold(1.0, f64::min) < 0.1);
        let flips = frames.iter().filter(|f| f.flip).count();
        assert!((1_850..2_150).contains(&flips), "{flips}");
    }

    #[test]
    fn a_sliver_falls_back_to_a_central_box_of_the_nearest_aspect() {
        let b = frame("imagenet-train", 1000, 10, "a", 0).readable;
        assert_eq!(b, PixelBox { x: 493, y: 0, width: 13, height: 10 });
    }

    #[test]
    fn evaluation_takes_the_centre() {
        let r = frame("imagenet-eval", 500, 375, "a", 0).region;
        // Resize(256): 341 x 256; CenterCrop(224): left round(58.5) = 58, top 16.
        assert_eq!((r.x, r.y), (58.0 * 500.0 / 341.0, 16.0 * 375.0 / 256.0));
        let r = frame("mobilenet-eval", 1024, 703, "a", 0).region;
        assert_eq!((r.x, r.y, r.width, r.height), (204.4375, 43.9375, 615.125, 615.125));
    }

    #[test]
    fn in_two_steps_the_crop_is_cut_out_of_the_whole_resized_photo() {
        let one = frame("imagenet-eval", 500, 375, "a", 0);
        let text = Recipe::builtin("imagenet-eval").unwrap().to_toml();
        let two = Recipe::from_toml(&text.replace("[224, 224]", "[224, 224]\nexact = \"two-step\"")).unwrap();
        let key = "a".parse().unwrap();
        let draws = Draws { address: Address::new(1, 0), key: &key };
        let two = Framing::new(two.stages(), Size { width: 500, height: 375 }, &draws);
        let cut_from = CutFrom {
            region: RealBox { x: 0.0, y: 0.0, width: 500.0, height: 375.0 },
            size: Size { width: 341, height: 256 },
            corner: Position { x: 58, y: 16 },
        };
        assert_eq!(two, Framing { cut_from: Some(cut_from), ..one });
    }
}
