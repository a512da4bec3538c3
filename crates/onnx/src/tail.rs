//! What a model does after one of its values, as a model: the head of a classifier that gives its features too.

use crate::check::check;
use crate::error::OnnxError;
use crate::limits::Limits;
use crate::prune::Needed;
use crate::schema::{graph, model, value_info};
use crate::value::ValueFacts;
use crate::walk::{graph_of, text_in};
use crate::wire::{Parts, fields};

/// The part of a model that makes these outputs of the value `from`, which is the part's only input.
///
/// # Errors
/// A model that does not pass the check or has no such output; outputs that need more than that value; a value whose
/// type and shape the model does not state.
pub fn tail(bytes: &[u8], from: &str, outputs: &[&str], limits: &Limits) -> Result<Vec<u8>, OnnxError> {
    check(bytes, limits)?;
    let graph_bytes = graph_of(bytes)?;
    let needed = Needed::find(graph_bytes, outputs, Some(from))?;
    check_alone(graph_bytes, &needed, from)?;
    let input = facts_of(graph_bytes, from)?;
    let mut part = needed.keep(graph_bytes, outputs)?;
    part.write(|out| out.message(graph::INPUT, |out| input.write(out)));
    let mut out = Parts::default();
    for field in fields(bytes).filter(|field| !field.as_ref().is_ok_and(|field| field.number == model::GRAPH)) {
        out.carry(&field?);
    }
    out.nest(model::GRAPH, part);
    let tail = out.finish();
    check(&tail, limits)?;
    Ok(tail)
}

/// Checks that the outputs need nothing that is fed into the model but through the value.
fn check_alone(graph_bytes: &[u8], needed: &Needed<'_>, from: &str) -> Result<(), OnnxError> {
    for field in fields(graph_bytes).flatten().filter(|field| field.number == graph::INPUT) {
        let input = text_in(field.bytes()?, value_info::NAME)?;
        if input != from && needed.reads(input) {
            let message = format!("the outputs need the input {input:?} too, and not only {from:?}");
            return Err(OnnxError::Shape(message));
        }
    }
    Ok(())
}

/// Type and shape of a value, as far as the graph states them.
fn facts_of(graph_bytes: &[u8], value: &str) -> Result<ValueFacts, OnnxError> {
    let states = [graph::INPUT, graph::OUTPUT, graph::VALUE_INFO];
    for field in fields(graph_bytes).flatten().filter(|field| states.contains(&field.number)) {
        let facts = ValueFacts::read(field.bytes()?)?;
        if facts.name == value {
            return Ok(facts);
        }
    }
    Err(OnnxError::Shape(format!("the model does not state the type and shape of {value:?}")))
}
