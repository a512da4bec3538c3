//! Visiting nodes and the graphs within them, without keeping any.

use crate::error::OnnxError;
use crate::schema::{attribute, graph, model, node, tensor, value_info};
use crate::wire::{Field, fields};

/// The model's graph: there must be exactly one. (Protobuf would merge two, and no exporter writes them.)
pub(crate) fn graph_of(bytes: &[u8]) -> Result<&[u8], OnnxError> {
    let mut found = None;
    for field in fields(bytes) {
        let field = field?;
        if field.number == model::GRAPH && found.replace(field.bytes()?).is_some() {
            return Err(OnnxError::Malformed("it has two graphs"));
        }
    }
    found.ok_or(OnnxError::Malformed("it has no graph"))
}

/// The text in field `number` of a message; empty where it is missing.
pub(crate) fn text_in(message: &[u8], number: u32) -> Result<&str, OnnxError> {
    let mut text = "";
    for field in fields(message) {
        let field = field?;
        if field.number == number {
            text = field.text()?;
        }
    }
    Ok(text)
}

/// A name that a node, or a graph within it, mentions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mention<'a> {
    /// The node reads the name.
    Reads(&'a str),
    /// The node makes the name.
    Makes(&'a str),
    /// A graph within the node reads, makes or declares the name, which may be the graph's own or one from outside.
    Inner(&'a str),
}

/// Calls `each` with every name that a node mentions. Depth was bounded when the model was checked.
pub(crate) fn mentions<'a>(node_bytes: &'a [u8], each: &mut dyn FnMut(Mention<'a>)) -> Result<(), OnnxError> {
    for field in fields(node_bytes) {
        let field = field?;
        match field.number {
            // An empty name stands for an optional input or output that is not used.
            node::INPUT | node::OUTPUT if field.bytes()?.is_empty() => {}
            node::INPUT => each(Mention::Reads(field.text()?)),
            node::OUTPUT => each(Mention::Makes(field.text()?)),
            node::ATTRIBUTE => subgraphs(field.bytes()?, &mut |inner| inner_names(inner, each))?,
            _ => {}
        }
    }
    Ok(())
}

/// Calls `each` with every graph that an attribute holds.
pub(crate) fn subgraphs<'a>(
    attribute_bytes: &'a [u8],
    each: &mut dyn FnMut(&'a [u8]) -> Result<(), OnnxError>,
) -> Result<(), OnnxError> {
    for field in fields(attribute_bytes) {
        let field = field?;
        if is_subgraph(&field) {
            each(field.bytes()?)?;
        }
    }
    Ok(())
}

/// Whether a field of an attribute holds a graph.
pub(crate) fn is_subgraph(field: &Field<'_>) -> bool {
    matches!(field.number, attribute::GRAPH | attribute::GRAPHS)
}

fn inner_names<'a>(graph_bytes: &'a [u8], each: &mut dyn FnMut(Mention<'a>)) -> Result<(), OnnxError> {
    for field in fields(graph_bytes) {
        let field = field?;
        match field.number {
            graph::NODE => mentions(field.bytes()?, &mut |mention| match mention {
                Mention::Reads(name) | Mention::Makes(name) | Mention::Inner(name) => each(Mention::Inner(name)),
            })?,
            // An output of a branch may be a value from outside.
            graph::OUTPUT | graph::INPUT => each(Mention::Inner(text_in(field.bytes()?, value_info::NAME)?)),
            graph::INITIALIZER => each(Mention::Inner(text_in(field.bytes()?, tensor::NAME)?)),
            _ => {}
        }
    }
    Ok(())
}
