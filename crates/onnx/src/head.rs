//! A classifier head as an ONNX model.
//!
//! ```text
//! linear             features f32 [N, D] -> Gemm -> logits f32 [N, C] -> Softmax -> probs f32 [N, C]
//! one hidden layer   features f32 [N, D] -> Gemm -> Relu -> Gemm -> logits f32 [N, C] -> Softmax -> probs f32 [N, C]
//! ```
//!
//! Features that were standardised in training are not standardised again: mean and scale are folded into the first
//! layer, so that the head takes features as the extractor gives them.

use headwater_types::Digest;

use crate::check::{ModelFacts, check};
use crate::error::OnnxError;
use crate::graph::GraphBuilder;
use crate::limits::Limits;
use crate::schema::{graph, tensor};
use crate::value::{Dim, ValueFacts};
use crate::walk::{graph_of, text_in};
use crate::wire::{Payload, fields, varints};

/// Name of a head's input.
pub const FEATURES: &str = "features";
/// Name of the output before the softmax.
pub const LOGITS: &str = "logits";
/// Name of the output after the softmax.
pub const PROBS: &str = "probs";

/// Metadata: class names, as a JSON list.
pub const CLASSES_KEY: &str = "headwater.classes";
/// Metadata: digest of the extractor's file.
pub const EXTRACTOR_KEY: &str = "headwater.extractor";
/// Metadata: digest of the recipe that the features were made with.
pub const RECIPE_KEY: &str = "headwater.recipe";
/// Metadata: version of the program that wrote the head.
pub const VERSION_KEY: &str = "headwater.version";

/// Class names as a file has them: one on each line, in the order of the scores.
///
/// # Errors
/// The number of a line that is empty between others, counted from 1.
pub fn class_lines(text: &str) -> Result<Vec<String>, usize> {
    let names: Vec<_> = text.trim_end_matches(['\n', '\r']).lines().map(|line| line.trim().to_owned()).collect();
    match names.iter().position(String::is_empty) {
        Some(line) => Err(line + 1),
        None => Ok(names),
    }
}

/// A fully connected layer: `y = W x + b`.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Length of `x`.
    pub inputs: usize,
    /// Length of `y`.
    pub outputs: usize,
    /// `W`, f32 `[outputs, inputs]`, row by row.
    pub weights: Vec<f32>,
    /// `b`, f32 `[outputs]`.
    pub bias: Vec<f32>,
}

/// A trained head.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// One layer, or two with a rectifier between.
    pub layers: Vec<Dense>,
    /// Class names, in the order of the logits.
    pub classes: Vec<String>,
    /// Digest of the extractor's file.
    pub extractor: Digest,
    /// Digest of the recipe.
    pub recipe: Digest,
}

// === impl Dense ===

impl Dense {
    fn check(&self) -> Result<(), OnnxError> {
        let Self { inputs, outputs, .. } = *self;
        if inputs == 0 || outputs == 0 {
            return Err(shape_error("a layer must have inputs and outputs".to_owned()));
        }
        if inputs.checked_mul(outputs) != Some(self.weights.len()) || self.bias.len() != outputs {
            let (weights, biases) = (self.weights.len(), self.bias.len());
            return Err(shape_error(format!(
                "a layer of {inputs} inputs and {outputs} outputs cannot have {weights} weights and {biases} biases"
            )));
        }
        Ok(())
    }
}

// === impl Head ===

impl Head {
    /// The head as an ONNX file: opset 13, IR version 8.
    pub fn write(&self) -> Result<Vec<u8>, OnnxError> {
        let (features, classes) = self.check()?;
        let mut graph = GraphBuilder::new("headwater-head");
        let batch = || Dim::symbol("N");
        graph.input(&ValueFacts::float32(FEATURES, &[batch(), Dim::Fixed(features as u64)]));
        let mut value = FEATURES.to_owned();
        for (index, layer) in self.layers.iter().enumerate() {
            let (weights, bias) = (weights_name(index), bias_name(index));
            graph.constant(&weights, &[layer.outputs, layer.inputs], &layer.weights);
            graph.constant(&bias, &[layer.outputs], &layer.bias);
            let last = index + 1 == self.layers.len();
            let output = if last { LOGITS.to_owned() } else { format!("layer{index}") };
            graph.gemm(&output, [&value, &weights, &bias]);
            value = output;
            if !last {
                let rectified = format!("{value}.relu");
                graph.relu(&rectified, &value);
                value = rectified;
            }
        }
        graph.softmax(PROBS, LOGITS);
        for output in [PROBS, LOGITS] {
            graph.output(&ValueFacts::float32(output, &[batch(), Dim::Fixed(classes as u64)]));
        }
        graph.metadata(CLASSES_KEY, serde_json::Value::from(self.classes.clone()).to_string());
        graph.metadata(EXTRACTOR_KEY, self.extractor.to_string());
        graph.metadata(RECIPE_KEY, self.recipe.to_string());
        graph.metadata(VERSION_KEY, env!("CARGO_PKG_VERSION"));
        Ok(graph.finish())
    }

    /// Reads a head that [`Head::write`] has written.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, OnnxError> {
        let facts = check(bytes, limits)?;
        let graph_bytes = graph_of(bytes)?;
        let mut layers = Vec::new();
        while let Some((dims, weights)) = constant(graph_bytes, &weights_name(layers.len()))? {
            let bias = constant(graph_bytes, &bias_name(layers.len()))?.map(|(_, bias)| bias);
            let [outputs, inputs] = dims[..] else { return Err(not_a_head("weights of two axes")) };
            layers.push(Dense { inputs, outputs, weights, bias: bias.ok_or(not_a_head("a bias for each layer"))? });
        }
        let classes = serde_json::from_str(metadata(&facts, CLASSES_KEY)?);
        let head = Self {
            layers,
            classes: classes.map_err(|_| not_a_head("a JSON list of class names"))?,
            extractor: digest(&facts, EXTRACTOR_KEY)?,
            recipe: digest(&facts, RECIPE_KEY)?,
        };
        head.check()?;
        Ok(head)
    }

    /// Features and classes, of a head whose layers fit together.
    fn check(&self) -> Result<(usize, usize), OnnxError> {
        self.layers.iter().try_for_each(Dense::check)?;
        let classes = match &self.layers[..] {
            [only] => only.outputs,
            [hidden, last] if hidden.outputs == last.inputs => last.outputs,
            [_, _] => return Err(shape_error("the hidden layer's outputs are not the last layer's inputs".to_owned())),
            _ => return Err(shape_error("a head has one layer or two".to_owned())),
        };
        if self.classes.len() != classes {
            let names = self.classes.len();
            return Err(shape_error(format!("a head of {classes} outputs cannot have {names} class names")));
        }
        Ok((self.layers[0].inputs, classes))
    }
}

fn weights_name(layer: usize) -> String {
    format!("layer{layer}.weight")
}

fn bias_name(layer: usize) -> String {
    format!("layer{layer}.bias")
}

fn shape_error(message: String) -> OnnxError {
    OnnxError::Shape(message)
}

fn not_a_head(missing: &str) -> OnnxError {
    shape_error(format!("the model is no head that headwater wrote: it lacks {missing}"))
}

fn metadata<'a>(facts: &'a ModelFacts, wanted: &str) -> Result<&'a str, OnnxError> {
    let found = facts.metadata.iter().find(|(key, _)| key == wanted);
    found.map(|(_, value)| value.as_str()).ok_or_else(|| not_a_head(wanted))
}

fn digest(facts: &ModelFacts, key: &str) -> Result<Digest, OnnxError> {
    metadata(facts, key)?.parse().map_err(|_| not_a_head(key))
}

type Constant = (Vec<usize>, Vec<f32>);

/// Axes and values of a constant that [`GraphBuilder::constant`] wrote; `None` where there is none of that name.
fn constant(graph_bytes: &[u8], name: &str) -> Result<Option<Constant>, OnnxError> {
    for field in fields(graph_bytes) {
        let field = field?;
        if field.number != graph::INITIALIZER || text_in(field.bytes()?, tensor::NAME)? != name {
            continue;
        }
        let (mut dims, mut raw) = (Vec::new(), &[][..]);
        for field in fields(field.bytes()?) {
            let field = field?;
            match (field.number, field.payload) {
                (tensor::DIMS, Payload::Varint(dim)) => dims.push(dim),
                (tensor::DIMS, Payload::Bytes(packed)) => {
                    dims = varints(packed).collect::<Result<_, _>>()?;
                }
                (tensor::RAW_DATA, _) => raw = field.bytes()?,
                _ => {}
            }
        }
        let dims = dims.into_iter().map(|dim| usize::try_from(dim).unwrap_or(usize::MAX)).collect();
        let (values, _) = raw.as_chunks();
        return Ok(Some((dims, values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())));
    }
    Ok(None)
}
