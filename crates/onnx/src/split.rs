//! A network cut in two: its front, from the input to some values, and its back, from these values to the outputs.

use crate::check::check;
use crate::cuts::Network;
use crate::error::OnnxError;
use crate::limits::Limits;
use crate::prune::Needed;
use crate::schema::{graph, model};
use crate::tail::check_alone;
use crate::value::ValueFacts;
use crate::walk::graph_of;
use crate::wire::{Parts, fields};

/// The halves of a network, each a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Takes the network's input, and gives the values at which it is cut, in the order that was asked for.
    pub front: Vec<u8>,
    /// Takes these values, and gives the network's outputs.
    pub back: Vec<u8>,
}

/// Cuts a network, from its only input to these outputs, at these values. Weights go with the operators that read them,
/// and to both halves where both do; all other fields of the model stay in both, byte for byte.
///
/// # Errors
/// Those of [`Network::read`]; a value that is not between the input and the outputs, or that is one of the outputs;
/// values that do not separate the outputs from the input.
pub fn split(bytes: &[u8], outputs: &[&str], at: &[ValueFacts], limits: &Limits) -> Result<Split, OnnxError> {
    let split = split_read(bytes, &Network::read(bytes, outputs, limits)?, outputs, at)?;
    check(&split.front, limits)?;
    check(&split.back, limits)?;
    Ok(split)
}

/// Cuts a network that was read from these bytes for these outputs, as [`split`] does; for many cuts of one network.
/// The halves are not checked again: they are made of fields that were.
///
/// # Errors
/// Those of [`split`], but for reading.
pub fn split_read(
    bytes: &[u8],
    network: &Network<'_>,
    outputs: &[&str],
    at: &[ValueFacts],
) -> Result<Split, OnnxError> {
    let names: Vec<_> = at.iter().map(|value| value.name.as_str()).collect();
    let back = behind(bytes, network, outputs, &names)?;
    let mut behind = back.keep_but(graph_of(bytes)?, outputs, &names)?;
    at.iter().for_each(|value| behind.write(|out| out.message(graph::INPUT, |out| value.write(out))));
    Ok(Split { front: exposed(bytes, at)?, back: with_graph(bytes, behind)? })
}

/// The front of a network alone, cut as [`split`] cuts it. What it gives are values without a stated type: ONNX Runtime
/// finds types and shapes itself.
///
/// # Errors
/// Those of [`split`].
pub fn front(bytes: &[u8], outputs: &[&str], at: &[&str], limits: &Limits) -> Result<Vec<u8>, OnnxError> {
    behind(bytes, &Network::read(bytes, outputs, limits)?, outputs, at)?;
    let untyped = |name: &&str| ValueFacts { name: (*name).to_owned(), element: None, dims: None };
    exposed(bytes, &at.iter().map(untyped).collect::<Vec<_>>())
}

/// What the outputs need behind these values, which separate them from the network's input.
fn behind<'a>(bytes: &'a [u8], network: &Network<'_>, outputs: &[&str], at: &[&str]) -> Result<Needed<'a>, OnnxError> {
    let known = |name: &&&str| network.values().any(|known| known == **name) && !outputs.contains(*name);
    if let Some(unknown) = at.iter().find(|name| !known(name)) {
        let message = format!("no operator between the input and the outputs makes {unknown:?}: it is no cut");
        return Err(OnnxError::Shape(message));
    }
    let graph_bytes = graph_of(bytes)?;
    let back = Needed::find(graph_bytes, outputs, at)?;
    check_alone(graph_bytes, &back, at)?;
    Ok(back)
}

/// The part of a model that makes these values, which are its only outputs. Facts without a type are left to whoever
/// runs it: ONNX Runtime finds types and shapes itself.
///
/// # Errors
/// A model that does not pass the check.
pub fn expose(bytes: &[u8], values: &[ValueFacts], limits: &Limits) -> Result<Vec<u8>, OnnxError> {
    check(bytes, limits)?;
    exposed(bytes, values)
}

fn exposed(bytes: &[u8], values: &[ValueFacts]) -> Result<Vec<u8>, OnnxError> {
    let graph_bytes = graph_of(bytes)?;
    let names: Vec<_> = values.iter().map(|value| value.name.as_str()).collect();
    let mut part = Needed::of(graph_bytes, &names, &[])?.keep_but(graph_bytes, &[], &names)?;
    values.iter().for_each(|value| part.write(|out| out.message(graph::OUTPUT, |out| value.write(out))));
    with_graph(bytes, part)
}

/// The model with another graph.
fn with_graph(bytes: &[u8], part: Parts<'_>) -> Result<Vec<u8>, OnnxError> {
    let mut out = Parts::default();
    for field in fields(bytes).filter(|field| !field.as_ref().is_ok_and(|field| field.number == model::GRAPH)) {
        out.carry(&field?);
    }
    out.nest(model::GRAPH, part);
    Ok(out.finish())
}
