//! Pixels to the planes of a tensor, channels first.

use headwater_types::recipe::Stages;

use crate::floats::{Floats, normalized};
use crate::kernel;
use crate::rgb::Rgb8;

/// Normalises a tensor `[3, h, w]` in place; leaves it where the recipe does not normalise.
pub(crate) fn normalize(stages: &Stages, tensor: &mut [f32]) {
    let Some(normalize) = &stages.normalize else { return };
    let plane = tensor.len() / 3;
    for (channel, values) in tensor.chunks_exact_mut(plane.max(1)).enumerate().take(3) {
        for value in values {
            *value = normalized(normalize, channel, *value);
        }
    }
}

/// Writes pixels `[h, w, 3]` into `out` `[3, h, w]`, mirrored left to right where asked.
pub(crate) fn write(floats: &Floats, pixels: &[u8], width: usize, mirror: bool, out: &mut [f32]) {
    debug_assert_eq!(out.len(), pixels.len());
    for (y, row) in pixels.chunks_exact(width * Rgb8::CHANNELS).enumerate() {
        write_row(floats, y, row, mirror, out);
    }
}

/// Writes a row of pixels into the rows `y` of the planes of `out` `[3, h, w]`, mirrored left to right where asked.
pub(crate) fn write_row(floats: &Floats, y: usize, row: &[u8], mirror: bool, out: &mut [f32]) {
    let (width, plane) = (row.len() / Rgb8::CHANNELS, out.len() / Rgb8::CHANNELS);
    let (red, rest) = out.split_at_mut(plane);
    let (green, blue) = rest.split_at_mut(plane);
    let place = y * width..(y + 1) * width;
    let mut planes = [&mut red[place.clone()], &mut green[place.clone()], &mut blue[place]];
    kernel::floats(floats.level, floats, row, mirror, &mut planes);
}

#[cfg(test)]
mod tests {
    use headwater_types::Recipe;
    use headwater_types::recipe::Normalize;

    use super::*;
    use crate::level::Level;
    use crate::resample::tests::noise;

    #[test]
    fn the_table_gives_the_bits_of_the_arithmetic() {
        for name in Recipe::builtin_names() {
            let recipe = Recipe::builtin(name).unwrap();
            let pixels: Vec<u8> = (0..=255).flat_map(|v| [v; 3]).collect();
            let mut floats = Floats::default();
            let (mut plain, mut direct) = (vec![0.0; 768], vec![0.0; 768]);
            write(floats.of(recipe.stages(), false), &pixels, 16, false, &mut plain);
            write(floats.of(recipe.stages(), true), &pixels, 16, false, &mut direct);
            normalize(recipe.stages(), &mut plain);
            assert_eq!(plain.map_bits(), direct.map_bits(), "{name}");
        }
    }

    #[test]
    fn torchvision_says_so() {
        // torchvision 0.29: (ToTensor then Normalize) of bytes 0, 1, 128, 255 in channel 0, as bits.
        let recipe = Recipe::builtin("imagenet-eval").unwrap();
        let mut floats = Floats::default();
        let table = floats.of(recipe.stages(), true).table()[0];
        let by_hand = |v: u8| ((f32::from(v) / 255.0) - 0.485_f32) / 0.229_f32;
        for v in [0, 1, 128, 255] {
            assert_eq!(table[usize::from(v)].to_bits(), by_hand(v).to_bits());
        }
    }

    #[test]
    fn every_level_gives_the_bits_of_the_table() {
        for (name, size) in [("imagenet-eval", 224), ("mobilenet-eval", 224), ("imagenet-train", 37)] {
            let recipe = Recipe::builtin(name).unwrap();
            let pixels = noise(size * 5 * 3, 7);
            for (mirror, normalize) in [(false, false), (false, true), (true, false), (true, true)] {
                let written = |level| {
                    let mut out = vec![0.0; pixels.len()];
                    let mut floats = Floats::at(level);
                    write(floats.of(recipe.stages(), normalize), &pixels, size, mirror, &mut out);
                    out.map_bits()
                };
                let expected = written(Level::PORTABLE);
                for level in Level::available() {
                    assert_eq!(written(level), expected, "{name}, {level}, mirror {mirror}, normalize {normalize}");
                }
            }
        }
    }

    #[test]
    fn arithmetic_serves_the_recipes_in_the_box_and_stands_back_where_it_would_differ() {
        let mut floats = Floats::default();
        for name in Recipe::builtin_names() {
            let recipe = Recipe::builtin(name).unwrap();
            assert!(floats.of(recipe.stages(), true).steps().is_some(), "{name}");
            assert!(floats.of(recipe.stages(), false).steps().is_some(), "{name}");
        }
        // The inverse of so small a divisor is no finite number.
        let mut stages = Recipe::builtin("imagenet-eval").unwrap().stages().clone();
        stages.normalize = Some(Normalize { mean: [0.5; 3], std: [1e-45; 3] });
        let floats = floats.of(&stages, true);
        assert!(floats.steps().is_none());
        assert_eq!(floats.table()[0][0], f32::NEG_INFINITY);
    }

    #[test]
    fn planes_are_red_green_blue_and_rows_are_mirrored() {
        let recipe = Recipe::from_toml(
            "name = \"t\"\n[[stage]]\nop = \"decode\"\n[[stage]]\nop = \"resize\"\nsize = [2, 2]\n[[stage]]\nop = \
             \"to-tensor\"\nscale = \"byte\"",
        )
        .unwrap();
        let mut floats = Floats::default();
        let table = floats.of(recipe.stages(), true);
        let mut out = [0.0; 12];
        write(table, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 2, true, &mut out);
        assert_eq!(out, [4.0, 1.0, 10.0, 7.0, 5.0, 2.0, 11.0, 8.0, 6.0, 3.0, 12.0, 9.0]);
    }

    trait MapBits {
        fn map_bits(&self) -> Vec<u32>;
    }

    impl MapBits for Vec<f32> {
        fn map_bits(&self) -> Vec<u32> {
            self.iter().map(|v| v.to_bits()).collect()
        }
    }
}
