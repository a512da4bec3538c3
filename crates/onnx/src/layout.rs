//! On which axis an input of images has its colours, where its axes do not state it. The first operator that treats
//! axes apart tells.
//!
//! ```text
//! input ─▶ Sub, Div, Cast ... ─▶ Conv, pooling, BatchNormalization     [N, C, H, W], their only order
//!                             ─▶ Transpose to [N, C, H, W]             [N, H, W, C]: as exported from TensorFlow
//! ```

use std::collections::HashSet;

use crate::error::OnnxError;
use crate::schema::{attribute, graph, node};
use crate::walk::{graph_of, text_in};
use crate::wire::{Payload, fields, varints};

/// An order of the axes of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Colours first: `[N, C, H, W]`.
    ChannelsFirst,
    /// Colours last: `[N, H, W, C]`.
    ChannelsLast,
}

// === impl Layout ===

impl Layout {
    /// Every order.
    pub const ALL: [Self; 2] = [Self::ChannelsFirst, Self::ChannelsLast];

    /// What the order is called in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChannelsFirst => "nchw",
            Self::ChannelsLast => "nhwc",
        }
    }
}

/// Operators that work on each element alone, or with a constant, so that the order of axes stays.
const ELEMENTWISE: [&str; 19] = [
    "Abs",
    "Add",
    "Cast",
    "Clip",
    "DequantizeLinear",
    "Div",
    "Dropout",
    "Identity",
    "Max",
    "Min",
    "Mul",
    "Neg",
    "Pad",
    "Pow",
    "QuantizeLinear",
    "Relu",
    "Resize",
    "Sqrt",
    "Sub",
];
/// Operators of which ONNX defines the second axis as the channels.
const CHANNELS_FIRST: [&str; 14] = [
    "AveragePool",
    "BatchNormalization",
    "Conv",
    "ConvInteger",
    "ConvTranspose",
    "DepthToSpace",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "InstanceNormalization",
    "LRN",
    "LpPool",
    "MaxPool",
    "QLinearConv",
    "SpaceToDepth",
];
/// Operators of ONNX Runtime that have the channels on the last axis.
const CHANNELS_LAST: [&str; 3] = ["NhwcConv", "NhwcFusedConv", "NhwcMaxPool"];

/// The order that the model's operators take an input in; `None` where none of them tells. The file must have passed
/// [`check`](crate::check()).
///
/// # Errors
/// `Malformed` for a file that cannot be read.
pub fn layout(bytes: &[u8], input: &str) -> Result<Option<Layout>, OnnxError> {
    // Nodes stand in the order in which they run.
    let mut images = HashSet::from([input]);
    for field in fields(graph_of(bytes)?) {
        let field = field?;
        if field.number != graph::NODE {
            continue;
        }
        let node = Node::read(field.bytes()?)?;
        if !node.inputs.iter().any(|name| images.contains(name)) {
            continue;
        }
        match node.operator {
            "Transpose" => return node.transposed(),
            operator if CHANNELS_FIRST.contains(&operator) => return Ok(Some(Layout::ChannelsFirst)),
            operator if CHANNELS_LAST.contains(&operator) => return Ok(Some(Layout::ChannelsLast)),
            operator if ELEMENTWISE.contains(&operator) => images.extend(node.outputs),
            _ => {}
        }
    }
    Ok(None)
}

/// The fields of a node that tell an order.
#[derive(Default)]
struct Node<'a> {
    operator: &'a str,
    inputs: Vec<&'a str>,
    outputs: Vec<&'a str>,
    attributes: Vec<&'a [u8]>,
}

// === impl Node ===

impl<'a> Node<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, OnnxError> {
        let mut this = Self::default();
        for field in fields(bytes) {
            let field = field?;
            match field.number {
                node::OP_TYPE => this.operator = field.text()?,
                node::INPUT => this.inputs.push(field.text()?),
                node::OUTPUT => this.outputs.push(field.text()?),
                node::ATTRIBUTE => this.attributes.push(field.bytes()?),
                _ => {}
            }
        }
        Ok(this)
    }

    /// The order of axes before a `Transpose`, where it tells one.
    fn transposed(&self) -> Result<Option<Layout>, OnnxError> {
        for &attribute in &self.attributes {
            if text_in(attribute, attribute::NAME)? == "perm" {
                return Ok(match numbers(attribute)?[..] {
                    [0, 3, 1, 2] => Some(Layout::ChannelsLast),
                    [0, 2, 3, 1] => Some(Layout::ChannelsFirst),
                    _ => None,
                });
            }
        }
        Ok(None)
    }
}

/// The whole numbers of an attribute, packed or one by one.
fn numbers(attribute_bytes: &[u8]) -> Result<Vec<u64>, OnnxError> {
    let mut numbers = Vec::new();
    for field in fields(attribute_bytes) {
        let field = field?;
        match (field.number, field.payload) {
            (attribute::INTS, Payload::Varint(number)) => numbers.push(number),
            (attribute::INTS, Payload::Bytes(packed)) => {
                for number in varints(packed) {
                    numbers.push(number?);
                }
            }
            _ => {}
        }
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{GraphBuilder, Window};

    fn layout_of(build: impl FnOnce(&mut GraphBuilder) -> &mut GraphBuilder) -> Option<Layout> {
        let mut graph = GraphBuilder::new("layout");
        build(&mut graph);
        layout(&graph.finish(), "x").unwrap()
    }

    const WINDOW: Window = Window { kernel: 1, stride: 1, pad: 0 };

    #[test]
    fn the_first_operator_that_treats_axes_apart_tells_the_order() {
        let conv = layout_of(|graph| {
            graph.operator("Sub", &["x", "mean"], "a", &[]).operator("Cast", &["a"], "b", &[("to", 1)]);
            graph.conv("c", ["b", "w", "bias"], WINDOW, 1)
        });
        assert_eq!(conv, Some(Layout::ChannelsFirst));
        assert_eq!(layout_of(|graph| graph.global_average_pool("y", "x")), Some(Layout::ChannelsFirst));
        let last = layout_of(|graph| {
            graph.operator("Div", &["x", "scale"], "a", &[]).transpose("b", "a", &[0, 3, 1, 2]);
            graph.conv("c", ["b", "w", "bias"], WINDOW, 1)
        });
        assert_eq!(last, Some(Layout::ChannelsLast));
        assert_eq!(layout_of(|graph| graph.transpose("y", "x", &[0, 2, 3, 1])), Some(Layout::ChannelsFirst));
        assert_eq!(layout_of(|graph| graph.transpose("y", "x", &[1, 0, 2, 3])), None);
        assert_eq!(layout_of(|graph| graph.flatten("y", "x")), None);
        let elsewhere = layout_of(|graph| graph.conv("c", ["other", "w", "bias"], WINDOW, 1));
        assert_eq!(elsewhere, None, "of another value");
    }
}
