//! Writing a model: a graph is put together node by node, in the order in which it runs.
//!
//! It has only the operators that heads and test extractors need. The caller names every value, so that the code reads
//! like the network.

use crate::schema::{attribute, entry, graph, model, node, opset, tensor};
use crate::value::{ElementType, ValueFacts};
use crate::wire::Writer;

/// The opset that is written: the first in which softmax works on one axis.
pub const OPSET: u64 = 13;
/// The file format that is written: that of ONNX 1.8 and later, read by every ONNX Runtime since.
pub const IR_VERSION: u64 = 8;

/// A model being written.
#[derive(Clone, Debug)]
pub struct GraphBuilder {
    name: String,
    graph: Writer,
    metadata: Vec<(String, String)>,
}

/// How a window slides over an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Side of the window, in pixels.
    pub kernel: usize,
    /// Step, in pixels.
    pub stride: usize,
    /// Zeros added on every side, in pixels.
    pub pad: usize,
}

enum Attribute<'a> {
    Int(u64),
    Ints(&'a [usize]),
}

// === impl GraphBuilder ===

impl GraphBuilder {
    /// An empty graph.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), graph: Writer::default(), metadata: Vec::new() }
    }

    /// Declares an input.
    pub fn input(&mut self, value: &ValueFacts) -> &mut Self {
        self.graph.message(graph::INPUT, |out| value.write(out));
        self
    }

    /// Declares an output: the value of that name.
    pub fn output(&mut self, value: &ValueFacts) -> &mut Self {
        self.graph.message(graph::OUTPUT, |out| value.write(out));
        self
    }

    /// States type and shape of a value between inputs and outputs, as exporters do that have inferred them.
    pub fn value(&mut self, value: &ValueFacts) -> &mut Self {
        self.graph.message(graph::VALUE_INFO, |out| value.write(out));
        self
    }

    /// Adds an entry to the model's metadata.
    pub fn metadata(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        self.metadata.push((key.to_owned(), value.into()));
        self
    }

    /// A constant f32 tensor. The product of `dims` must be the number of values.
    pub fn constant(&mut self, name: &str, dims: &[usize], values: &[f32]) -> &mut Self {
        debug_assert_eq!(dims.iter().product::<usize>(), values.len(), "constant {name:?}");
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.graph.message(graph::INITIALIZER, |out| {
            dims.iter().for_each(|dim| out.number(tensor::DIMS, *dim as u64));
            out.number(tensor::DATA_TYPE, ElementType::FLOAT32.0);
            out.text(tensor::NAME, name);
            out.bytes(tensor::RAW_DATA, &raw);
        });
        self
    }

    /// A f32 tensor whose data lie in another file, as these entries say (`location`, `offset`, `length`): they are
    /// written as they are, right or wrong.
    pub fn outside(&mut self, name: &str, dims: &[usize], entries: &[(&str, &str)]) -> &mut Self {
        self.graph.message(graph::INITIALIZER, |out| {
            dims.iter().for_each(|dim| out.number(tensor::DIMS, *dim as u64));
            out.number(tensor::DATA_TYPE, ElementType::FLOAT32.0);
            out.text(tensor::NAME, name);
            for (key, value) in entries {
                out.message(tensor::EXTERNAL_DATA, |out| {
                    out.text(entry::KEY, key);
                    out.text(entry::VALUE, value);
                });
            }
            out.number(tensor::DATA_LOCATION, tensor::LOCATION_EXTERNAL);
        });
        self
    }

    /// `output = input · weightsᵀ + bias`: input `[N, in]`, weights `[out, in]`, bias `[out]`.
    pub fn gemm(&mut self, output: &str, [input, weights, bias]: [&str; 3]) -> &mut Self {
        self.node("Gemm", &[input, weights, bias], output, &[("transB", Attribute::Int(1))])
    }

    /// A convolution: input `[N, in, H, W]`, weights `[out, in / groups, kernel, kernel]`, bias `[out]`.
    pub fn conv(
        &mut self,
        output: &str,
        [input, weights, bias]: [&str; 3],
        window: Window,
        groups: usize,
    ) -> &mut Self {
        let Window { kernel, stride, pad } = window;
        let attributes = [
            ("kernel_shape", Attribute::Ints(&[kernel; 2])),
            ("strides", Attribute::Ints(&[stride; 2])),
            ("pads", Attribute::Ints(&[pad; 4])),
            ("group", Attribute::Int(groups as u64)),
        ];
        self.node("Conv", &[input, weights, bias], output, &attributes)
    }

    /// The largest value of every window: input `[N, C, H, W]`.
    pub fn max_pool(&mut self, output: &str, input: &str, window: Window) -> &mut Self {
        let Window { kernel, stride, pad } = window;
        let attributes = [
            ("kernel_shape", Attribute::Ints(&[kernel; 2])),
            ("strides", Attribute::Ints(&[stride; 2])),
            ("pads", Attribute::Ints(&[pad; 4])),
        ];
        self.node("MaxPool", &[input], output, &attributes)
    }

    /// The mean of each channel: `[N, C, H, W]` becomes `[N, C, 1, 1]`.
    pub fn global_average_pool(&mut self, output: &str, input: &str) -> &mut Self {
        self.node("GlobalAveragePool", &[input], output, &[])
    }

    /// The rectifier: `max(x, 0)`.
    pub fn relu(&mut self, output: &str, input: &str) -> &mut Self {
        self.node("Relu", &[input], output, &[])
    }

    /// Flattens all axes after the first into one.
    pub fn flatten(&mut self, output: &str, input: &str) -> &mut Self {
        self.node("Flatten", &[input], output, &[("axis", Attribute::Int(1))])
    }

    /// Puts the axes into another order.
    pub fn transpose(&mut self, output: &str, input: &str, order: &[usize]) -> &mut Self {
        self.node("Transpose", &[input], output, &[("perm", Attribute::Ints(order))])
    }

    /// Softmax over the second of two axes.
    pub fn softmax(&mut self, output: &str, input: &str) -> &mut Self {
        self.node("Softmax", &[input], output, &[("axis", Attribute::Int(1))])
    }

    /// Any other operator with one output, whose attributes are whole numbers.
    pub fn operator(&mut self, op: &str, inputs: &[&str], output: &str, attributes: &[(&str, u64)]) -> &mut Self {
        let attributes: Vec<_> = attributes.iter().map(|(name, value)| (*name, Attribute::Int(*value))).collect();
        self.node(op, inputs, output, &attributes)
    }

    /// The model as an ONNX file.
    pub fn finish(&self) -> Vec<u8> {
        let mut graph = self.graph.clone();
        graph.text(graph::NAME, &self.name);
        let graph = graph.finish();
        let mut out = Writer::with_capacity(graph.len() + 1024);
        out.number(model::IR_VERSION, IR_VERSION);
        write_producer(&mut out);
        write_opset(&mut out, "", OPSET);
        out.bytes(model::GRAPH, &graph);
        self.metadata.iter().for_each(|(key, value)| write_metadata(&mut out, key, value));
        out.finish()
    }

    fn node(&mut self, op: &str, inputs: &[&str], output: &str, attributes: &[(&str, Attribute<'_>)]) -> &mut Self {
        self.graph.message(graph::NODE, |out| {
            inputs.iter().for_each(|input| out.text(node::INPUT, input));
            out.text(node::OUTPUT, output);
            // Nodes make one value each here, and so may share its name.
            out.text(node::NAME, output);
            out.text(node::OP_TYPE, op);
            for (name, value) in attributes {
                out.message(node::ATTRIBUTE, |out| {
                    out.text(attribute::NAME, name);
                    value.write(out);
                });
            }
        });
        self
    }

    /// The fields of the graph, to be added to another.
    pub(crate) fn into_fields(self) -> Vec<u8> {
        self.graph.finish()
    }
}

// === impl Attribute ===

impl Attribute<'_> {
    fn write(&self, out: &mut Writer) {
        match self {
            Self::Int(value) => {
                out.number(attribute::INT, *value);
                out.number(attribute::TYPE, attribute::TYPE_INT);
            }
            Self::Ints(values) => {
                values.iter().for_each(|value| out.number(attribute::INTS, *value as u64));
                out.number(attribute::TYPE, attribute::TYPE_INTS);
            }
        }
    }
}

pub(crate) fn write_producer(out: &mut Writer) {
    out.text(model::PRODUCER_NAME, "headwater");
    out.text(model::PRODUCER_VERSION, env!("CARGO_PKG_VERSION"));
}

pub(crate) fn write_opset(out: &mut Writer, domain: &str, version: u64) {
    out.message(model::OPSET_IMPORT, |out| {
        out.text(opset::DOMAIN, domain);
        out.number(opset::VERSION, version);
    });
}

pub(crate) fn write_metadata(out: &mut Writer, key: &str, value: &str) {
    out.message(model::METADATA, |out| {
        out.text(entry::KEY, key);
        out.text(entry::VALUE, value);
    });
}
