//! What a model does after one of its values, as a model: the head of a classifier that gives its features too.

use crate::check::check;
use crate::error::OnnxError;
use crate::limits::Limits;
use crate::prune::Needed;
use crate::schema::{graph, model, node, value_info};
use crate::value::ValueFacts;
use crate::walk::{Mention, graph_of, mentions, text_in};
use crate::wire::{Parts, fields};

/// Operators that give the values of their first input under other axes.
const SAME_VALUES: [&str; 4] = ["Flatten", "Identity", "Reshape", "Squeeze"];

/// The part of a model that makes these outputs of the value `from`, or of the value whose axes `from` has in another
/// form: many exports flatten their features beside what follows them. That value is the part's only input.
///
/// # Errors
/// A model that does not pass the check or has no such output; outputs that need more than that value; a value whose
/// type and shape the model does not state.
pub fn tail(bytes: &[u8], from: &str, outputs: &[&str], limits: &Limits) -> Result<Vec<u8>, OnnxError> {
    check(bytes, limits)?;
    let graph_bytes = graph_of(bytes)?;
    let refused = match tail_of(bytes, graph_bytes, from, outputs) {
        Ok(tail) => return whole(tail, limits),
        Err(refused) => refused,
    };
    match source_of(graph_bytes, from)?.map(|source| tail_of(bytes, graph_bytes, source, outputs)) {
        Some(Ok(tail)) => whole(tail, limits),
        _ => Err(refused),
    }
}

/// A part that passes the check, as every model must.
fn whole(tail: Vec<u8>, limits: &Limits) -> Result<Vec<u8>, OnnxError> {
    check(&tail, limits)?;
    Ok(tail)
}

fn tail_of(bytes: &[u8], graph_bytes: &[u8], from: &str, outputs: &[&str]) -> Result<Vec<u8>, OnnxError> {
    let needed = Needed::find(graph_bytes, outputs, &[from])?;
    check_alone(graph_bytes, &needed, &[from])?;
    let input = facts_of(graph_bytes, from)?;
    let mut part = needed.keep(graph_bytes, outputs)?;
    part.write(|out| out.message(graph::INPUT, |out| input.write(out)));
    let mut out = Parts::default();
    for field in fields(bytes).filter(|field| !field.as_ref().is_ok_and(|field| field.number == model::GRAPH)) {
        out.carry(&field?);
    }
    out.nest(model::GRAPH, part);
    Ok(out.finish())
}

/// The value whose values these are under other axes; `None` where something else makes them.
fn source_of<'a>(graph_bytes: &'a [u8], value: &str) -> Result<Option<&'a str>, OnnxError> {
    for field in fields(graph_bytes).flatten().filter(|field| field.number == graph::NODE) {
        let (mut first, mut makes) = (None, false);
        mentions(field.bytes()?, &mut |mention| match mention {
            Mention::Reads(name) => first = first.or(Some(name)),
            Mention::Makes(name) => makes |= name == value,
            Mention::Inner(_) => {}
        })?;
        if makes {
            let same = SAME_VALUES.contains(&text_in(field.bytes()?, node::OP_TYPE)?);
            return Ok(first.filter(|_| same));
        }
    }
    Ok(None)
}

/// Checks that the outputs need nothing that is fed into the model but through these values.
pub(crate) fn check_alone(graph_bytes: &[u8], needed: &Needed<'_>, from: &[&str]) -> Result<(), OnnxError> {
    for field in fields(graph_bytes).flatten().filter(|field| field.number == graph::INPUT) {
        let input = text_in(field.bytes()?, value_info::NAME)?;
        if !from.contains(&input) && needed.reads(input) {
            let given = from.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
            let message = format!("the outputs need the input {input:?} too, and not only {given}");
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
