//! What a model states of its values: of inputs, outputs, and of those between them where an exporter inferred shapes.

use crate::check::check;
use crate::error::OnnxError;
use crate::limits::Limits;
use crate::schema::graph;
use crate::value::ValueFacts;
use crate::walk::graph_of;
use crate::wire::fields;

/// Type and shape of each value of which the model states anything, in the file's order. A value may come twice, as an
/// output and as an inner value.
///
/// # Errors
/// A model that does not pass the check, which bounds how much it may state.
pub fn stated(bytes: &[u8], limits: &Limits) -> Result<Vec<ValueFacts>, OnnxError> {
    check(bytes, limits)?;
    let states = [graph::INPUT, graph::OUTPUT, graph::VALUE_INFO];
    let mut found = Vec::new();
    for field in fields(graph_of(bytes)?) {
        let field = field?;
        if states.contains(&field.number) {
            found.push(ValueFacts::read(field.bytes()?)?);
        }
    }
    Ok(found)
}
