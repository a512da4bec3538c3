//! A small feature extractor as an ONNX model, with weights that are computed and not trained.
//!
//! ```text
//! input [N, 3, 64, 64]
//!   conv 7x7, relu, max pool   edges at 2 scales and 6 angles (Gabor filters), and spots
//!   conv 5x5                   energy of each scale and angle around a place
//!   conv 1x1, relu             by how much one angle beats another there
//!   mean over places
//!   gemm, relu                 by how much one angle beats another over the whole photo
//!   gemm                       summed over angles             -> texture  [N, 16]
//!   gemm, relu                 random mixtures of these       -> features [N, 272]
//! ```
//!
//! Edges are what trained networks find first (Krizhevsky et al. 2012, figure 3). Differences between angles, summed
//! over all, do not change when a photo is turned: stripes have one angle here and everywhere, rings one here and all
//! everywhere, a checkerboard two. Random mixtures make a linear head as good as a small network (Rahimi and Recht
//! 2007).

use std::f64::consts::{PI, TAU};

use headwater_onnx::graph::Window;
use headwater_onnx::value::Dim;
use headwater_onnx::{GraphBuilder, ValueFacts};

use crate::dice::Dice;

/// The extractor's shape, recipe and file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extractor;

const RGB: usize = 3;
/// Wavelengths of the edges, in pixels.
const WAVELENGTHS: [f64; SCALES] = [4.0, 8.0];
const SCALES: usize = 2;
const ANGLES: usize = 6;
/// Side of the first layer's filters, in pixels.
const EDGE: usize = 7;
/// Each filter with both signs, as ReLU keeps one.
const SIGNS: [f64; 2] = [1.0, -1.0];
/// An even and an odd phase, each with both signs.
const PER_ANGLE: usize = 4;
const SPOTS: usize = 2;
const FIRST: usize = SCALES * ANGLES * PER_ANGLE + SPOTS;
/// Side of the window in which energy is summed.
const AROUND: usize = 5;
/// Energies by scale and angle, then spots.
const ENERGIES: usize = SCALES * ANGLES + SPOTS;
/// Ordered pairs of angles, by scale.
const PAIRS: usize = SCALES * ANGLES * (ANGLES - 1);
/// Angles can differ by 1 to half of them: after that they come round.
const STEPS: usize = ANGLES / 2;
/// Of each scale: its energy, then local and whole differences by step.
const PER_SCALE: usize = 1 + 2 * STEPS;
const TEXTURE: usize = SCALES * PER_SCALE + SPOTS;
const MIXTURES: usize = 256;
/// What the outputs `texture` are on generated photos, roughly: mixtures weigh all alike.
const TYPICAL: [f64; TEXTURE] =
    [0.35, 0.17, 0.27, 0.15, 0.1, 0.13, 0.06, 0.65, 0.23, 0.38, 0.21, 0.11, 0.17, 0.087, 0.025, 0.025];

// === impl Extractor ===

impl Extractor {
    /// Height and width of the input, in pixels.
    pub const SIDE: usize = 64;
    /// Length of the output `features`.
    pub const FEATURES: usize = TEXTURE + MIXTURES;
    /// Length of the output `texture`.
    pub const TEXTURE: usize = TEXTURE;
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
        let window = |kernel, stride| Window { kernel, stride, pad: kernel / 2 };
        let side = Self::SIDE as u64;
        let mut graph = GraphBuilder::new("testdata-extractor");
        graph
            .input(&tensor("input", &[RGB as u64, side, side]))
            .constant("edges.weight", &[FIRST, RGB, EDGE, EDGE], &edges())
            .constant("edges.bias", &[FIRST], &[-NOISE; FIRST])
            .conv("edges.conv", ["input", "edges.weight", "edges.bias"], window(EDGE, 1), 1)
            .relu("edges.relu", "edges.conv")
            .max_pool("edges", "edges.relu", window(3, 2))
            .constant("energy.weight", &[ENERGIES, FIRST, AROUND, AROUND], &energies())
            .constant("energy.bias", &[ENERGIES], &[0.0; ENERGIES])
            .conv("energy", ["edges", "energy.weight", "energy.bias"], window(AROUND, 1), 1)
            .constant("local.weight", &[ENERGIES + PAIRS, ENERGIES, 1, 1], &differences(ENERGIES).values)
            .constant("local.bias", &[ENERGIES + PAIRS], &[0.0; ENERGIES + PAIRS])
            .conv("local.conv", ["energy", "local.weight", "local.bias"], window(1, 1), 1)
            .relu("local", "local.conv")
            .global_average_pool("mean.pool", "local")
            .flatten("mean", "mean.pool");
        gemm(&mut graph, "whole.gemm", "mean", &differences(ENERGIES + PAIRS));
        graph.relu("whole", "whole.gemm");
        gemm(&mut graph, "texture", "whole", &sums());
        gemm(&mut graph, "features.gemm", "texture", &mixtures(seed));
        graph
            .relu("features", "features.gemm")
            .output(&tensor("features", &[Self::FEATURES as u64]))
            .output(&tensor("texture", &[Self::TEXTURE as u64]));
        graph.finish()
    }
}

/// Edges weaker than this are taken for noise.
const NOISE: f32 = 0.02;

/// A dense layer: weights `rows x columns`, and a bias for each row.
struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
    bias: Vec<f32>,
}

// === impl Matrix ===

impl Matrix {
    fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, values: vec![0.0; rows * columns], bias: vec![0.0; rows] }
    }

    fn set(&mut self, row: usize, column: usize, value: f64) {
        self.values[row * self.columns + column] = value as f32;
    }
}

fn gemm(graph: &mut GraphBuilder, name: &str, input: &str, weights: &Matrix) {
    let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
    graph
        .constant(&weight, &[weights.rows, weights.columns], &weights.values)
        .constant(&bias, &[weights.rows], &weights.bias)
        .gemm(name, [input, &weight, &bias]);
}

/// `[FIRST, RGB, EDGE, EDGE]`: by scale, angle, phase and sign, then spots. Of the three colours they see the mean.
fn edges() -> Vec<f32> {
    let angles = || (0..ANGLES).map(|angle| PI * angle as f64 / ANGLES as f64);
    let phases = |wavelength: f64, angle: f64| [0.0, PI / 2.0].map(|phase| gabor(wavelength, angle, phase));
    let gabors = WAVELENGTHS.into_iter().flat_map(|length| angles().flat_map(move |angle| phases(length, angle)));
    let signed = |filter: Vec<f64>| {
        SIGNS.map(|sign| -> Vec<f32> {
            filter.iter().map(|weight| (sign * weight / RGB as f64) as f32).collect::<Vec<_>>().repeat(RGB)
        })
    };
    gabors.chain([spot()]).flat_map(signed).flatten().collect()
}

/// `[ENERGIES, FIRST, AROUND, AROUND]`: phases and signs of an angle added up around a place; spots as they are.
fn energies() -> Vec<f32> {
    let share = 1.0 / (PER_ANGLE * AROUND * AROUND) as f32;
    let around = |energy: usize, first: usize| {
        let angle = (first / PER_ANGLE).min(SCALES * ANGLES) + first.saturating_sub(FIRST - SPOTS);
        std::iter::repeat_n(if angle == energy { share } else { 0.0 }, AROUND * AROUND)
    };
    (0..ENERGIES).flat_map(|energy| (0..FIRST).flat_map(move |first| around(energy, first))).collect()
}

/// Keeps `kept` inputs, of which the first are energies, and adds the differences of the angles of each scale.
fn differences(kept: usize) -> Matrix {
    let mut matrix = Matrix::zeros(kept + PAIRS, kept);
    (0..kept).for_each(|place| matrix.set(place, place, 1.0));
    for (row, (scale, one, other)) in pairs().enumerate() {
        matrix.set(kept + row, scale * ANGLES + one, 1.0);
        matrix.set(kept + row, scale * ANGLES + other, -1.0);
    }
    matrix
}

/// `[TEXTURE, ENERGIES + PAIRS + PAIRS]`: sums over all angles, or all pairs of angles at the same step.
fn sums() -> Matrix {
    let mut matrix = Matrix::zeros(TEXTURE, ENERGIES + 2 * PAIRS);
    for scale in 0..SCALES {
        (0..ANGLES).for_each(|angle| matrix.set(scale * PER_SCALE, scale * ANGLES + angle, 1.0));
    }
    for (place, (scale, one, other)) in pairs().enumerate() {
        let apart = one.abs_diff(other);
        let step = apart.min(ANGLES - apart);
        matrix.set(scale * PER_SCALE + step, ENERGIES + place, 1.0);
        matrix.set(scale * PER_SCALE + STEPS + step, ENERGIES + PAIRS + place, 1.0);
    }
    (0..SPOTS).for_each(|spot| matrix.set(SCALES * PER_SCALE + spot, SCALES * ANGLES + spot, 1.0));
    matrix
}

/// `[FEATURES, TEXTURE]`: each, near 1 on generated photos; then mixtures of how far each is from that, so that about
/// half of them are more than 0 on any photo.
fn mixtures(seed: u64) -> Matrix {
    let mut matrix = Matrix::zeros(TEXTURE + MIXTURES, TEXTURE);
    let mut dice = Dice::new(seed, "mixtures");
    for (column, typical) in TYPICAL.iter().enumerate() {
        matrix.set(column, column, 1.0 / typical);
        for row in 0..MIXTURES {
            let weight = dice.normal() / libm::sqrt(TEXTURE as f64);
            matrix.set(TEXTURE + row, column, weight / typical);
            matrix.bias[TEXTURE + row] -= weight as f32;
        }
    }
    matrix
}

/// Scale and two of its angles.
fn pairs() -> impl Iterator<Item = (usize, usize, usize)> {
    let of = |scale| (0..ANGLES * ANGLES).map(move |pair| (scale, pair / ANGLES, pair % ANGLES));
    (0..SCALES).flat_map(of).filter(|(_, one, other)| one != other)
}

fn gabor(wavelength: f64, angle: f64, phase: f64) -> Vec<f64> {
    let (cos, sin) = (libm::cos(angle), libm::sin(angle));
    balanced(|x, y| libm::cos(TAU * (x * cos + y * sin) / wavelength + phase) * bell(x, y, 0.4 * wavelength))
}

/// Bright in the middle, dark around it.
fn spot() -> Vec<f64> {
    balanced(|x, y| bell(x, y, 1.0) - bell(x, y, 2.0) / 4.0)
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
        assert_eq!(text(&facts.outputs), ["features float32 [batch, 272]", "texture float32 [batch, 16]"]);
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
        let weights = edges();
        assert_eq!(weights.len(), FIRST * RGB * EDGE * EDGE);
        for filter in weights.chunks(RGB * EDGE * EDGE) {
            assert!(filter.iter().sum::<f32>().abs() < 1e-5);
        }
    }

    #[test]
    fn every_part_feeds_the_one_after_it() {
        let used = |matrix: &Matrix| {
            (0..matrix.columns)
                .all(|column| (0..matrix.rows).any(|row| matrix.values[row * matrix.columns + column] != 0.0))
        };
        assert!(used(&sums()) && used(&differences(ENERGIES)) && used(&mixtures(1)));
        let energies = energies();
        for first in 0..FIRST {
            let fed =
                (0..ENERGIES).filter(|energy| energies[(energy * FIRST + first) * AROUND * AROUND] != 0.0).count();
            assert_eq!(fed, 1, "{first}");
        }
    }
}
