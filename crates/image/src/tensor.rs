//! Bytes to floats, channels first: `to-tensor` and `normalize`, rounded as torchvision rounds.
//!
//! `to-tensor` divides by 255 in f32; `normalize` subtracts, then divides, each in f32. A byte has 256 values, so that a
//! table of 256 floats a channel gives the very same bits, faster than the arithmetic.
//!
//! Vectors are faster still, but neither with tables nor with divisions: they multiply by inverses of twice the precision
//! ([`Steps`]). That could miss the rounding of a division once in a blue moon, which is why it is tried on all 256 bytes
//! of each channel before it is used.

use headwater_types::recipe::{Normalize, Stages, TensorScale};

use crate::kernel::{self, Level};
use crate::rgb::Rgb8;

/// What each byte becomes, per channel; kept from sample to sample while the recipe stays.
pub(crate) struct Floats {
    level: Level,
    made_for: Option<(TensorScale, Option<Normalize>)>,
    table: Box<[[f32; 256]; 3]>,
    /// The table's values by arithmetic, where that gives them.
    steps: Option<[Steps; 3]>,
}

/// What a byte of one channel becomes, by arithmetic: times `scale`, less `mean`, times `spread`.
#[derive(Clone, Copy)]
pub(crate) struct Steps {
    pub(crate) scale: Factor,
    pub(crate) mean: f32,
    pub(crate) spread: Factor,
}

/// The inverse of a divisor in twice the precision of an f32: `high + low`.
#[derive(Clone, Copy)]
pub(crate) struct Factor {
    pub(crate) high: f32,
    pub(crate) low: f32,
}

/// What a byte becomes.
fn scaled(scale: TensorScale, byte: u8) -> f32 {
    f32::from(byte) / divisor(scale)
}

fn divisor(scale: TensorScale) -> f32 {
    match scale {
        TensorScale::Unit => 255.0,
        TensorScale::Byte => 1.0,
    }
}

/// What a float becomes, in channel 0, 1 or 2.
fn normalized(normalize: &Normalize, channel: usize, value: f32) -> f32 {
    (value - normalize.mean[channel]) / normalize.std[channel]
}

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

// === impl Floats ===

impl Floats {
    /// Floats that are written with the instructions of a level.
    pub(crate) fn at(level: Level) -> Self {
        Self { level, made_for: None, table: Box::new([[0.0; 256]; 3]), steps: None }
    }

    /// Those of a recipe's stages; up to `to-tensor` only, or all.
    pub(crate) fn of(&mut self, stages: &Stages, normalize: bool) -> &Self {
        let wanted = (stages.scale, stages.normalize.filter(|_| normalize));
        if self.made_for != Some(wanted) {
            for (channel, values) in self.table.iter_mut().enumerate() {
                for (byte, value) in (0..=u8::MAX).zip(values) {
                    let plain = scaled(wanted.0, byte);
                    *value = wanted.1.as_ref().map_or(plain, |n| normalized(n, channel, plain));
                }
            }
            let steps = [0, 1, 2].map(|channel| Steps::new(wanted.0, wanted.1.as_ref(), channel));
            let same = steps.iter().zip(self.table.iter()).all(|(steps, table)| steps.give(table));
            self.steps = same.then_some(steps);
            self.made_for = Some(wanted);
        }
        self
    }

    /// The value of each byte, per channel.
    pub(crate) fn table(&self) -> &[[f32; 256]; 3] {
        &self.table
    }

    /// How to compute the values of [`Self::table`], to the bit, where there is a way.
    pub(crate) fn steps(&self) -> Option<&[Steps; 3]> {
        self.steps.as_ref()
    }
}

impl Default for Floats {
    fn default() -> Self {
        Self::at(Level::default())
    }
}

// === impl Steps ===

impl Steps {
    fn new(scale: TensorScale, normalize: Option<&Normalize>, channel: usize) -> Self {
        let (mean, std) = normalize.map_or((0.0, 1.0), |n| (n.mean[channel], n.std[channel]));
        Self { scale: Factor::inverse_of(divisor(scale)), mean, spread: Factor::inverse_of(std) }
    }

    /// Whether they give these bits for all bytes.
    fn give(&self, table: &[f32; 256]) -> bool {
        let value = |byte: u8| self.spread.times(self.scale.times(f32::from(byte)) - self.mean);
        (0..=u8::MAX).zip(table).all(|(byte, expected)| value(byte).to_bits() == expected.to_bits())
    }
}

// === impl Factor ===

impl Factor {
    fn inverse_of(divisor: f32) -> Self {
        let exact = 1.0 / f64::from(divisor);
        let high = exact as f32;
        Self { high, low: (exact - f64::from(high)) as f32 }
    }

    /// A product, rounded twice: the small part, and the sum. Vectors do the same.
    fn times(self, value: f32) -> f32 {
        value.mul_add(self.high, value * self.low)
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::Recipe;

    use super::*;
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
