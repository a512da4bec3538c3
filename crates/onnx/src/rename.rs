//! Renaming the values of a graph, in all places where their names stand.

use crate::error::OnnxError;
use crate::schema::{entry, graph, node, quantization, tensor, value_info};
use crate::walk::{Mention, is_subgraph, mentions, text_in};
use crate::wire::{Field, Parts, fields};

/// The graph with each value's name, and each node's, as `rename` gives it; `None` keeps a name. The graph computes the
/// same as long as no two names become one.
pub(crate) fn rename_graph<'a>(
    graph_bytes: &'a [u8],
    rename: &dyn Fn(&str) -> Option<String>,
) -> Result<Parts<'a>, OnnxError> {
    let mut out = Parts::default();
    for field in fields(graph_bytes) {
        rename_in(&mut out, &field?, rename)?;
    }
    Ok(out)
}

/// One field of a graph, renamed in the same way.
pub(crate) fn rename_in<'a>(
    out: &mut Parts<'a>,
    field: &Field<'a>,
    rename: &dyn Fn(&str) -> Option<String>,
) -> Result<(), OnnxError> {
    match field.number {
        graph::NODE => out.nest(field.number, rename_node(field.bytes()?, rename)?),
        graph::INITIALIZER => out.nest(field.number, rename_field(field.bytes()?, tensor::NAME, rename)?),
        graph::INPUT | graph::OUTPUT | graph::VALUE_INFO => {
            out.nest(field.number, rename_field(field.bytes()?, value_info::NAME, rename)?);
        }
        graph::QUANTIZATION => out.nest(field.number, rename_quantization(field.bytes()?, rename)?),
        _ => out.carry(field),
    }
    Ok(())
}

/// Calls `each` with the name of every value in a graph.
pub(crate) fn value_names<'a>(graph_bytes: &'a [u8], each: &mut dyn FnMut(&'a str)) -> Result<(), OnnxError> {
    for field in fields(graph_bytes) {
        let field = field?;
        match field.number {
            graph::NODE => mentions(field.bytes()?, &mut |mention| match mention {
                Mention::Reads(name) | Mention::Makes(name) | Mention::Inner(name) => each(name),
            })?,
            graph::INITIALIZER => each(text_in(field.bytes()?, tensor::NAME)?),
            graph::INPUT | graph::OUTPUT => each(text_in(field.bytes()?, value_info::NAME)?),
            _ => {}
        }
    }
    Ok(())
}

fn rename_node<'a>(bytes: &'a [u8], rename: &dyn Fn(&str) -> Option<String>) -> Result<Parts<'a>, OnnxError> {
    let mut out = Parts::default();
    for field in fields(bytes) {
        let field = field?;
        match field.number {
            node::INPUT | node::OUTPUT | node::NAME => push_renamed(&mut out, &field, rename)?,
            node::ATTRIBUTE => {
                let attribute = rename_attribute(field.bytes()?, rename)?;
                out.nest(field.number, attribute);
            }
            _ => out.carry(&field),
        }
    }
    Ok(out)
}

fn rename_attribute<'a>(bytes: &'a [u8], rename: &dyn Fn(&str) -> Option<String>) -> Result<Parts<'a>, OnnxError> {
    let mut out = Parts::default();
    for field in fields(bytes) {
        let field = field?;
        if is_subgraph(&field) {
            out.nest(field.number, rename_graph(field.bytes()?, rename)?);
        } else {
            out.carry(&field);
        }
    }
    Ok(out)
}

fn rename_quantization<'a>(bytes: &'a [u8], rename: &dyn Fn(&str) -> Option<String>) -> Result<Parts<'a>, OnnxError> {
    let mut out = Parts::default();
    for field in fields(bytes) {
        let field = field?;
        match field.number {
            quantization::TENSOR_NAME => push_renamed(&mut out, &field, rename)?,
            quantization::PARAMETERS => out.nest(field.number, rename_field(field.bytes()?, entry::VALUE, rename)?),
            _ => out.carry(&field),
        }
    }
    Ok(out)
}

/// A message with the name in field `number` renamed.
fn rename_field<'a>(
    bytes: &'a [u8],
    number: u32,
    rename: &dyn Fn(&str) -> Option<String>,
) -> Result<Parts<'a>, OnnxError> {
    let mut out = Parts::default();
    for field in fields(bytes) {
        let field = field?;
        if field.number == number {
            push_renamed(&mut out, &field, rename)?;
        } else {
            out.carry(&field);
        }
    }
    Ok(out)
}

fn push_renamed<'a>(
    out: &mut Parts<'a>,
    field: &Field<'a>,
    rename: &dyn Fn(&str) -> Option<String>,
) -> Result<(), OnnxError> {
    // An empty name stands for an optional input or output that is not used.
    match Some(field.text()?).filter(|name| !name.is_empty()).and_then(rename) {
        Some(name) => out.write(|out| out.text(field.number, &name)),
        None => out.carry(field),
    }
    Ok(())
}
