//! A small feature extractor as an ONNX model, with weights that are computed and not trained.
//!
//! ```text
//! input [N, 3, 64, 64] -- conv 7x7 -- relu -- max pool 3/2 --+-- mean -> edges    [N, 56]
//!                                                            +-- conv 5x5 -- relu -- mean -> features [N, 184]
//! ```
//!
//! The first layer is what trained networks find by themselves: oriented edges at two scales, spots and opposed
//! colours (Gabor filters, as in Krizhevsky et al. 2012, figure 3). The second keeps them and adds random mixtures, which
//! tell a checkerboard from stripes and rings from rays (random features: Rahimi and Recht 2007).

use std::f64::consts::{PI, TAU};

use headwater_onnx::graph::Window;
use headwater_onnx::value::Dim;
use headwater_onnx::{GraphBuilder, ValueFacts};

use crate::dice::Dice;

/// The extractor's shape, for tests that check it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extractor;

const ORIENTATIONS: usize = 6;
/// Wavelengths of the first layer's edges, in pixels.
const WAVELENGTHS: [f64; 2] = [4.0, 8.0];
const EDGE: usize = 7;
/// An even and an odd phase of each edge, each with both signs, as ReLU keeps one.
const EDGES: usize = ORIENTATIONS * WAVELENGTHS.len() * 2 * 2;
const FIRST: usize = EDGES + 2 + 6;
const MIX: usize = 5;
const MIXTURES: usize = 128;
const RGB: usize = 3;

// === impl Extractor ===

impl Extractor {
    /// Height and width of the input, in pixels.
    pub const SIDE: usize = 64;
    /// Length of the output `features`.
    pub const FEATURES: usize = FIRST + MIXTURES;
    /// Length of the output `edges`.
    pub const EDGES: usize = FIRST;
    /// The recipe whose tensors it takes.
    pub const RECIPE: &str = "\
name = \"testdata-eval\"

[[stage]]
op = \"decode\"

[[stage]]
op = \"resize\"
size = [64, 64]

[[stage]]
op = \"to-tensor\"

[[stage]]
op = \"normalize\"
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]
";

    /// The model as an ONNX file. Another seed mixes otherwise.
    pub fn onnx(seed: u64) -> Vec<u8> {
        let tensor = |name: &str, dims: &[u64]| {
            let batch = [Dim::Symbol("batch".to_owned())].into_iter();
            ValueFacts::float32(name, &batch.chain(dims.iter().map(|dim| Dim::Fixed(*dim))).collect::<Vec<_>>())
        };
        let side = Self::SIDE as u64;
        let mut graph = GraphBuilder::new("testdata-extractor");
        graph
            .input(&tensor("input", &[RGB as u64, side, side]))
            .constant("first.weight", &[FIRST, RGB, EDGE, EDGE], &first_layer())
            .constant("first.bias", &[FIRST], &[-0.02; FIRST])
            .conv("first", ["input", "first.weight", "first.bias"], Window { kernel: EDGE, stride: 1, pad: 3 }, 1)
            .relu("first.relu", "first")
            .max_pool("first.pool", "first.relu", Window { kernel: 3, stride: 2, pad: 1 })
            .constant("second.weight", &[Self::FEATURES, FIRST, MIX, MIX], &second_layer(seed))
            .constant("second.bias", &[Self::FEATURES], &[0.0; Self::FEATURES])
            .conv(
                "second",
                ["first.pool", "second.weight", "second.bias"],
                Window { kernel: MIX, stride: 1, pad: 2 },
                1,
            )
            .relu("second.relu", "second")
            .global_average_pool("second.mean", "second.relu")
            .flatten("features", "second.mean")
            .global_average_pool("first.mean", "first.pool")
            .flatten("edges", "first.mean")
            .output(&tensor("features", &[Self::FEATURES as u64]))
            .output(&tensor("edges", &[Self::EDGES as u64]));
        graph.finish()
    }
}

/// `[FIRST, 3, EDGE, EDGE]`: edges, then spots, then colours.
fn first_layer() -> Vec<f32> {
    let grey = [1.0 / 3.0; RGB];
    let mut filters = Vec::new();
    for wavelength in WAVELENGTHS {
        for orientation in 0..ORIENTATIONS {
            let angle = PI * orientation as f64 / ORIENTATIONS as f64;
            for phase in [0.0, PI / 2.0] {
                filters.push((gabor(wavelength, angle, phase), grey));
            }
        }
    }
    filters.push((spot(), grey));
    filters.extend([[1.0, -1.0, 0.0], [0.5, 0.5, -1.0], grey].map(|colour| (blur(), colour)));
    let mut weights = Vec::with_capacity(FIRST * RGB * EDGE * EDGE);
    for (filter, colour) in &filters {
        for sign in [1.0, -1.0] {
            for share in colour {
                weights.extend(filter.iter().map(|weight| (sign * share * weight) as f32));
            }
        }
    }
    weights
}

/// `[FEATURES, FIRST, MIX, MIX]`: each of the first layer as it is, then the mixtures.
fn second_layer(seed: u64) -> Vec<f32> {
    let mut weights = vec![0.0; FIRST * FIRST * MIX * MIX];
    let centre = MIX * MIX / 2;
    for channel in 0..FIRST {
        weights[(channel * FIRST + channel) * MIX * MIX + centre] = 1.0;
    }
    let mut dice = Dice::new(seed, "mixtures");
    let scale = libm::sqrt(2.0 / (FIRST * MIX * MIX) as f64);
    weights.extend((0..MIXTURES * FIRST * MIX * MIX).map(|_| (scale * dice.normal()) as f32));
    weights
}

fn gabor(wavelength: f64, angle: f64, phase: f64) -> Vec<f64> {
    let (cos, sin) = (libm::cos(angle), libm::sin(angle));
    balanced(|x, y| libm::cos(TAU * (x * cos + y * sin) / wavelength + phase) * bell(x, y, 0.4 * wavelength))
}

/// Bright in the middle, dark around it.
fn spot() -> Vec<f64> {
    balanced(|x, y| bell(x, y, 1.0) - bell(x, y, 2.0) / 4.0)
}

fn blur() -> Vec<f64> {
    let weights = plane(|x, y| bell(x, y, 2.0));
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

fn bell(x: f64, y: f64, sigma: f64) -> f64 {
    libm::exp(-(x * x + y * y) / (2.0 * sigma * sigma))
}

/// A filter that gives 0 on an even surface, with absolute weights that sum to 1.
fn balanced(weight: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let weights = plane(weight);
    let mean = weights.iter().sum::<f64>() / weights.len() as f64;
    let size: f64 = weights.iter().map(|weight| (weight - mean).abs()).sum();
    weights.iter().map(|weight| (weight - mean) / size).collect()
}

fn plane(weight: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let from_middle = |place: usize| place as f64 - (EDGE / 2) as f64;
    (0..EDGE * EDGE).map(|place| weight(from_middle(place % EDGE), from_middle(place / EDGE))).collect()
}

#[cfg(test)]
mod tests {
    use headwater_onnx::{Limits, check};
    use headwater_types::Recipe;

    use super::*;

    #[test]
    fn the_model_is_one_that_headwater_accepts() {
        let model = Extractor::onnx(1);
        let facts = check(&model, &Limits::default()).unwrap();
        let text = |values: &[ValueFacts]| values.iter().map(ValueFacts::to_string).collect::<Vec<_>>();
        assert_eq!(text(&facts.inputs), ["input float32 [batch, 3, 64, 64]"]);
        assert_eq!(text(&facts.outputs), ["features float32 [batch, 184]", "edges float32 [batch, 56]"]);
        assert_eq!(model, Extractor::onnx(1));
        assert_ne!(model, Extractor::onnx(2));
    }

    #[test]
    fn the_recipe_gives_what_the_model_takes() {
        let size = Recipe::from_toml(Extractor::RECIPE).unwrap().output_size();
        assert_eq!((size.width as usize, size.height as usize), (Extractor::SIDE, Extractor::SIDE));
    }

    #[test]
    fn edges_do_not_see_an_even_surface() {
        let weights = first_layer();
        assert_eq!(weights.len(), FIRST * RGB * EDGE * EDGE);
        for filter in weights.chunks(RGB * EDGE * EDGE).take(EDGES + 2) {
            assert!(filter.iter().sum::<f32>().abs() < 1e-5);
        }
    }
}
