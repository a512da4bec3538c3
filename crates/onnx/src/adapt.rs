//! A model behind operators that make its input of float32 `[N, 3, H, W]`, and float32 of what it gives.
//!
//! ```text
//! headwater/input ─▶ Mul, Add ─▶ Cast ─▶ Transpose ─▶ the input ─▶ the model ─▶ features ─▶ Cast ─▶ headwater/features
//! float32 [N,3,H,W]  pixels      uint8    [N,H,W,3]                              float16             float32
//! ```
//!
//! So whatever feeds models knows one form of them. Nothing within the model is touched: its input and outputs keep
//! their names, and become values like others. Every operator is in opset 7, the oldest that is taken.

use crate::check::check;
use crate::error::OnnxError;
use crate::graph::GraphBuilder;
use crate::layout::Layout;
use crate::limits::Limits;
use crate::rename::value_names;
use crate::schema::{graph, model, value_info};
use crate::value::{Dim, ElementType, ValueFacts};
use crate::walk::{graph_of, text_in};
use crate::wire::{Parts, fields};

/// What is done to a tensor before the model takes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Each value times `by` plus `plus`, of its colour: f32 `[N, 3, H, W]`.
    Scale {
        /// The factor of each colour.
        by: [f32; 3],
        /// What is added for each colour.
        plus: [f32; 3],
    },
    /// Another type of elements. To whole numbers, what is behind the point is cut off.
    Cast(ElementType),
    /// Another order of the axes, from `[N, C, H, W]`.
    Order(Layout),
}

/// The model behind these steps, whose only input is float32, in the order of axes before the steps; and each output in
/// float16 is given in float32. A model that needs nothing comes back byte for byte.
///
/// # Errors
/// A model that does not pass the check, and `Shape` for steps before a model with another number of inputs than one.
pub fn adapt(bytes: &[u8], steps: &[Step], limits: &Limits) -> Result<Vec<u8>, OnnxError> {
    let facts = check(bytes, limits)?;
    let halves: Vec<_> = facts.outputs.iter().filter(|output| output.element == Some(ElementType::FLOAT16)).collect();
    if steps.is_empty() && halves.is_empty() {
        return Ok(bytes.to_vec());
    }
    let graph_bytes = graph_of(bytes)?;
    let prefix = free_prefix(graph_bytes)?;
    let mut adapted = Parts::default();
    let fed = match (steps, &facts.inputs[..]) {
        ([], _) => None,
        (steps, [input]) => {
            // Nodes stand in the order in which they run.
            adapted.append(before(input, steps, &prefix).into_fields());
            Some(input.name.as_str())
        }
        (_, inputs) => {
            let message = format!("a model that is fed with images has one input, and here are {}", inputs.len());
            return Err(OnnxError::Shape(message));
        }
    };
    for field in fields(graph_bytes) {
        let field = field?;
        let is_replaced = match field.number {
            graph::INPUT => fed == Some(text_in(field.bytes()?, value_info::NAME)?),
            graph::OUTPUT => {
                let name = text_in(field.bytes()?, value_info::NAME)?;
                halves.iter().any(|half| half.name == name)
            }
            _ => false,
        };
        if !is_replaced {
            adapted.carry(&field);
        }
    }
    halves.iter().for_each(|half| adapted.append(after(half, &prefix).into_fields()));
    let mut out = Parts::default();
    for field in fields(bytes).filter(|field| !field.as_ref().is_ok_and(|field| field.number == model::GRAPH)) {
        out.carry(&field?);
    }
    out.nest(model::GRAPH, adapted);
    let adapted = out.finish();
    check(&adapted, limits)?;
    Ok(adapted)
}

/// A prefix that no value of the graph has.
fn free_prefix(graph_bytes: &[u8]) -> Result<String, OnnxError> {
    let mut prefix = "headwater/".to_owned();
    loop {
        let mut is_taken = false;
        value_names(graph_bytes, &mut |name| is_taken |= name.starts_with(&prefix))?;
        if !is_taken {
            return Ok(prefix);
        }
        prefix.insert(0, '_');
    }
}

/// The input that is fed, and the steps from there to the model's own.
fn before(input: &ValueFacts, steps: &[Step], prefix: &str) -> GraphBuilder {
    let mut graph = GraphBuilder::new("");
    let mut value = format!("{prefix}input");
    graph.input(&ValueFacts { name: value.clone(), element: Some(ElementType::FLOAT32), dims: dims_of(input, steps) });
    for (number, step) in steps.iter().enumerate() {
        let is_last = number + 1 == steps.len();
        let next = if is_last { input.name.clone() } else { format!("{prefix}step/{number}") };
        step.write(&mut graph, &value, &next, &format!("{prefix}step/{number}/"));
        value = next;
    }
    graph
}

/// The axes of what is fed.
fn dims_of(input: &ValueFacts, steps: &[Step]) -> Option<Vec<Dim>> {
    let dims = input.dims.clone()?;
    match &dims[..] {
        [n, h, w, c] if steps.contains(&Step::Order(Layout::ChannelsLast)) => {
            Some([n, c, h, w].map(Dim::clone).to_vec())
        }
        _ => Some(dims),
    }
}

/// An output in float16, and what is given in its place.
fn after(half: &ValueFacts, prefix: &str) -> GraphBuilder {
    let name = format!("{prefix}{}", half.name);
    let mut graph = GraphBuilder::new("");
    graph.operator("Cast", &[&half.name], &name, &[("to", ElementType::FLOAT32.0)]);
    graph.output(&ValueFacts { name, element: Some(ElementType::FLOAT32), dims: half.dims.clone() });
    graph
}

// === impl Step ===

impl Step {
    fn write(&self, graph: &mut GraphBuilder, from: &str, to: &str, prefix: &str) {
        match self {
            Self::Scale { by, plus } => {
                let [by_name, plus_name, scaled] = ["by", "plus", "scaled"].map(|name| format!("{prefix}{name}"));
                graph.constant(&by_name, &[1, 3, 1, 1], by).constant(&plus_name, &[1, 3, 1, 1], plus);
                graph.operator("Mul", &[from, &by_name], &scaled, &[]);
                graph.operator("Add", &[&scaled, &plus_name], to, &[]);
            }
            Self::Cast(element) => drop(graph.operator("Cast", &[from], to, &[("to", element.0)])),
            Self::Order(Layout::ChannelsLast) => drop(graph.transpose(to, from, &[0, 2, 3, 1])),
            Self::Order(Layout::ChannelsFirst) => drop(graph.operator("Identity", &[from], to, &[])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(element: ElementType) -> GraphBuilder {
        let dims = Some(vec![Dim::symbol("N"), Dim::Fixed(4), Dim::Fixed(5), Dim::Fixed(3)]);
        let mut graph = GraphBuilder::new("adapt");
        graph.input(&ValueFacts { name: "x".into(), element: Some(element), dims });
        graph
    }

    fn half() -> ValueFacts {
        let dims = Some(vec![Dim::symbol("N"), Dim::Fixed(60)]);
        ValueFacts { name: "features".into(), element: Some(ElementType::FLOAT16), dims }
    }

    fn text(values: &[ValueFacts]) -> Vec<String> {
        values.iter().map(ValueFacts::to_string).collect()
    }

    #[test]
    fn both_ends_become_float32_in_the_common_order() {
        let file = images(ElementType::FLOAT16).flatten("features", "x").output(&half()).finish();
        let steps = [Step::Cast(ElementType::FLOAT16), Step::Order(Layout::ChannelsLast)];
        let adapted = adapt(&file, &steps, &Limits::default()).unwrap();
        let facts = check(&adapted, &Limits::default()).unwrap();
        assert_eq!(text(&facts.inputs), ["headwater/input float32 [N, 3, 4, 5]"]);
        assert_eq!(text(&facts.outputs), ["headwater/features float32 [N, 60]"]);
        assert_eq!(facts.nodes, 4);
        // What is adapted needs no more of it, and names that are taken are taken by nobody else.
        assert_eq!(adapt(&adapted, &[], &Limits::default()).unwrap(), adapted);
        let again = adapt(&adapted, &[Step::Cast(ElementType::FLOAT32)], &Limits::default()).unwrap();
        assert_eq!(check(&again, &Limits::default()).unwrap().inputs[0].name, "_headwater/input");
    }

    #[test]
    fn a_model_of_several_inputs_is_fed_with_no_images() {
        let mut graph = images(ElementType::FLOAT32);
        graph.input(&ValueFacts::float32("z", &[])).flatten("features", "x").output(&half());
        let error = adapt(&graph.finish(), &[Step::Cast(ElementType::UINT8)], &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("here are 2"), "{error}");
    }
}
