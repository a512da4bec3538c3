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
    let network = Network::read(bytes, outputs, limits)?;
    for value in at {
        if !network.values().any(|known| known == value.name) || outputs.contains(&value.name.as_str()) {
            let message = format!("no operator between the input and the outputs makes {:?}: it is no cut", value.name);
            return Err(OnnxError::Shape(message));
        }
    }
    let names: Vec<_> = at.iter().map(|value| value.name.as_str()).collect();
    let graph_bytes = graph_of(bytes)?;
    let back = Needed::find(graph_bytes, outputs, &names)?;
    check_alone(graph_bytes, &back, &names)?;
    let mut behind = back.keep_but(graph_bytes, outputs, &names)?;
    at.iter().for_each(|value| behind.write(|out| out.message(graph::INPUT, |out| value.write(out))));
    let split = Split { front: exposed(bytes, at)?, back: with_graph(bytes, behind)? };
    check(&split.front, limits)?;
    check(&split.back, limits)?;
    Ok(split)
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
