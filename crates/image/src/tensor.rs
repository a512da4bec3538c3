//! Bytes to floats, channels first: `to-tensor` and `normalize`, rounded as torchvision rounds.
//!
//! `to-tensor` divides by 255 in f32; `normalize` subtracts, then divides, each in f32. A byte has 256 values, so that a
//! table of 256 floats a channel gives the very same bits, faster than the arithmetic.

use headwater_types::recipe::{Normalize, Stages, TensorScale};

use crate::rgb::Rgb8;

/// What each byte becomes, per channel; kept from sample to sample while the recipe stays.
pub(crate) struct Tables {
    made_for: Option<(TensorScale, Option<Normalize>)>,
    values: Box<[[f32; 256]; 3]>,
}

/// What a byte becomes.
fn scaled(scale: TensorScale, byte: u8) -> f32 {
    match scale {
        TensorScale::Unit => f32::from(byte) / 255.0,
        TensorScale::Byte => f32::from(byte),
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

// === impl Tables ===

impl Default for Tables {
    fn default() -> Self {
        Self { made_for: None, values: Box::new([[0.0; 256]; 3]) }
    }
}

impl Tables {
    /// The table of a recipe's stages; up to `to-tensor` only, or all.
    pub(crate) fn of(&mut self, stages: &Stages, normalize: bool) -> &[[f32; 256]; 3] {
        let wanted = (stages.scale, stages.normalize.filter(|_| normalize));
        if self.made_for != Some(wanted) {
            for (channel, values) in self.values.iter_mut().enumerate() {
                for (byte, value) in (0..=u8::MAX).zip(values) {
                    let plain = scaled(wanted.0, byte);
                    *value = wanted.1.as_ref().map_or(plain, |n| normalized(n, channel, plain));
                }
            }
            self.made_for = Some(wanted);
        }
        &self.values
    }
}

/// Writes pixels `[h, w, 3]` into `out` `[3, h, w]`, mirrored left to right where asked.
pub(crate) fn write(table: &[[f32; 256]; 3], pixels: &[u8], width: usize, mirror: bool, out: &mut [f32]) {
    let (pixels, _) = pixels.as_chunks::<{ Rgb8::CHANNELS }>();
    debug_assert_eq!(out.len(), pixels.len() * 3);
    let (red, rest) = out.split_at_mut(pixels.len());
    let (green, blue) = rest.split_at_mut(pixels.len());
    let planes = red.chunks_exact_mut(width).zip(green.chunks_exact_mut(width)).zip(blue.chunks_exact_mut(width));
    for (row, ((red, green), blue)) in pixels.chunks_exact(width).zip(planes) {
        let places = red.iter_mut().zip(green).zip(blue);
        let put = |(((red, green), blue), &[r, g, b]): (((&mut f32, &mut f32), &mut f32), &[u8; 3])| {
            *red = table[0][usize::from(r)];
            *green = table[1][usize::from(g)];
            *blue = table[2][usize::from(b)];
        };
        if mirror {
            places.zip(row.iter().rev()).for_each(put);
        } else {
            places.zip(row).for_each(put);
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::Recipe;

    use super::*;

    #[test]
    fn the_table_gives_the_bits_of_the_arithmetic() {
        for name in Recipe::builtin_names() {
            let recipe = Recipe::builtin(name).unwrap();
            let pixels: Vec<u8> = (0..=255).flat_map(|v| [v; 3]).collect();
            let mut tables = Tables::default();
            let (mut plain, mut direct) = (vec![0.0; 768], vec![0.0; 768]);
            write(tables.of(recipe.stages(), false), &pixels, 16, false, &mut plain);
            write(tables.of(recipe.stages(), true), &pixels, 16, false, &mut direct);
            normalize(recipe.stages(), &mut plain);
            assert_eq!(plain.map_bits(), direct.map_bits(), "{name}");
        }
    }

    #[test]
    fn torchvision_says_so() {
        // torchvision 0.29: (ToTensor then Normalize) of bytes 0, 1, 128, 255 in channel 0, as bits.
        let recipe = Recipe::builtin("imagenet-eval").unwrap();
        let mut tables = Tables::default();
        let table = tables.of(recipe.stages(), true)[0];
        let by_hand = |v: u8| ((f32::from(v) / 255.0) - 0.485_f32) / 0.229_f32;
        for v in [0, 1, 128, 255] {
            assert_eq!(table[usize::from(v)].to_bits(), by_hand(v).to_bits());
        }
    }

    #[test]
    fn planes_are_red_green_blue_and_rows_are_mirrored() {
        let recipe = Recipe::from_toml(
            "name = \"t\"\n[[stage]]\nop = \"decode\"\n[[stage]]\nop = \"resize\"\nsize = [2, 2]\n[[stage]]\nop = \
             \"to-tensor\"\nscale = \"byte\"",
        )
        .unwrap();
        let mut tables = Tables::default();
        let table = tables.of(recipe.stages(), true);
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
