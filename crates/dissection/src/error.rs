//! Why a network cannot be measured at its cuts.

use headwater_features::PartError;
use headwater_onnx::OnnxError;

/// Why a network cannot be measured at its cuts.
#[derive(Debug, thiserror::Error)]
pub enum DissectionError {
    /// The model is no network that can be cut.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// ONNX Runtime refuses the model or a half of it.
    #[error("{what}: {source}")]
    Run {
        /// What was run.
        what: String,
        /// What is wrong.
        source: PartError,
    },
    /// The input does not fit the recipe.
    #[error(
        "the network must take float32 [N, 3, {height}, {width}], as the recipe {recipe} gives it: it takes {input}"
    )]
    Input {
        /// The recipe.
        recipe: String,
        /// Height of its output, in pixels.
        height: u32,
        /// Width of its output, in pixels.
        width: u32,
        /// The network's input.
        input: String,
    },
    /// An output is not of a type that travels.
    #[error("the output {0:?} is not float32, uint8 or int8 with one row for each image")]
    Output(String),
    /// No photo can be used.
    #[error("none of the {tried} photos can be read; the first: {first}")]
    NoPhoto {
        /// How many were tried.
        tried: usize,
        /// What is wrong with the first.
        first: String,
    },
    /// What was asked for is no cut.
    #[error(
        "there is no cut {asked:?}: the network can be cut at {}; profiler model without --split-at lists them all", 
        known.join(", ")
    )]
    NoSuchCut {
        /// What was asked for.
        asked: String,
        /// Some cuts that there are.
        known: Vec<String>,
    },
    /// Coded bytes did not give back what was coded.
    #[error("activations of {0:?} did not come back as they were coded: please report it")]
    Coding(String),
}
