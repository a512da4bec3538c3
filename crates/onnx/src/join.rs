//! An extractor and a head as one model: the extractor's input to the head's `probs` and `logits`.

use std::collections::HashSet;

use crate::adapt::adapt;
use crate::check::{ModelFacts, check};
use crate::error::OnnxError;
use crate::graph::{GraphBuilder, write_metadata, write_opset, write_producer};
use crate::head::{LOGITS, PROBS};
use crate::limits::Limits;
use crate::opset::is_onnx;
use crate::prune::prune;
use crate::rename::{rename_in, value_names};
use crate::schema::{graph, model, node};
use crate::value::{Dim, ElementType, ValueFacts};
use crate::walk::{graph_of, text_in};
use crate::wire::{Parts, fields};

/// Operators of heads that do the same to matrices of floats in every opset from [`FIRST_SHARED_OPSET`] on.
const TIMELESS: [&str; 5] = ["Gemm", "Relu", "Softmax", "Flatten", "Identity"];
const FIRST_SHARED_OPSET: u64 = 9;

/// Joins an extractor, at the output of that name, to a head: a model with one input (float32 features) and the outputs
/// `probs` and `logits`. Nodes and weights of the extractor that the features do not need are left out. Features may be
/// `[N, D]` or have more axes, such as `[N, D, 1, 1]`, which are flattened; those in float16 become float32.
pub fn join(extractor: &[u8], output: &str, head: &[u8], limits: &Limits) -> Result<Vec<u8>, OnnxError> {
    let extractor = adapt(&prune(extractor, &[output], limits)?, &[], limits)?;
    let head = prune(head, &[PROBS, LOGITS], limits)?;
    let both = Both {
        extractor: check(&extractor, limits)?,
        extractor_graph: graph_of(&extractor)?,
        head: check(&head, limits)?,
        head_graph: graph_of(&head)?,
    };
    let graph = both.graph()?;
    let joined = both.model(&extractor, graph)?.finish();
    check(&joined, limits)?;
    Ok(joined)
}

/// An extractor and a head while they are joined.
struct Both<'a> {
    extractor: ModelFacts,
    extractor_graph: &'a [u8],
    head: ModelFacts,
    head_graph: &'a [u8],
}

impl<'a> Both<'a> {
    fn graph(&self) -> Result<Parts<'a>, OnnxError> {
        let features = one(&self.extractor.outputs, "the extractor's features are one output")?;
        let head_input = one(&self.head.inputs, "a head has one input")?;
        check_features(features, head_input)?;
        let names = Names::choose(self.extractor_graph, &features.name, &head_input.name)?;
        let flat = features.dims.as_ref().is_some_and(|dims| dims.len() == 2);

        let mut out = Parts::default();
        for field in fields(self.extractor_graph) {
            let field = field?;
            if field.number != graph::OUTPUT {
                rename_in(&mut out, &field, &|name| names.of_extractor(name))?;
            }
        }
        if !flat {
            let mut flatten = GraphBuilder::new("");
            flatten.flatten(&names.flattened(), &names.features);
            out.append(flatten.into_fields());
        }
        for field in fields(self.head_graph) {
            let field = field?;
            if matches!(field.number, graph::NODE | graph::INITIALIZER | graph::VALUE_INFO | graph::QUANTIZATION) {
                rename_in(&mut out, &field, &|name| Some(names.of_head(name, flat)))?;
            }
        }
        let first_axis = |value: &ValueFacts| value.dims.as_ref().and_then(|dims| dims.first()).cloned();
        let batch = first_axis(features).unwrap_or(Dim::Unknown);
        for output in &self.head.outputs {
            let mut output = output.clone();
            if let Some(axis) = output.dims.as_mut().and_then(|dims| dims.first_mut()) {
                axis.clone_from(&batch);
            }
            out.write(|out| out.message(graph::OUTPUT, |out| output.write(out)));
        }
        Ok(out)
    }

    fn model(&self, extractor: &'a [u8], graph: Parts<'a>) -> Result<Parts<'a>, OnnxError> {
        let opsets = self.opsets()?;
        let mut out = Parts::default();
        out.write(|out| {
            out.number(model::IR_VERSION, self.extractor.ir_version.max(self.head.ir_version));
            write_producer(out);
            opsets.iter().for_each(|(domain, version)| write_opset(out, domain, *version));
            let replaced = |key: &str| self.head.metadata.iter().any(|(of_head, _)| of_head == key);
            let kept = self.extractor.metadata.iter().filter(|(key, _)| !replaced(key));
            kept.chain(&self.head.metadata).for_each(|(key, value)| write_metadata(out, key, value));
        });
        out.nest(model::GRAPH, graph);
        for field in fields(extractor) {
            let field = field?;
            match field.number {
                model::IR_VERSION | model::PRODUCER_NAME | model::PRODUCER_VERSION => {}
                model::OPSET_IMPORT | model::METADATA | model::GRAPH => {}
                _ => out.carry(&field),
            }
        }
        Ok(out)
    }

    /// Every domain that either model imports, in the version that suits both.
    fn opsets(&self) -> Result<Vec<(String, u64)>, OnnxError> {
        let mut merged = self.extractor.opsets.clone();
        for (domain, of_head) in &self.head.opsets {
            let same = |other: &str| other == domain || (is_onnx(other) && is_onnx(domain));
            match merged.iter().find(|(other, _)| same(other)) {
                None => merged.push((domain.clone(), *of_head)),
                Some((_, of_extractor)) if of_extractor == of_head => {}
                Some((_, of_extractor)) => {
                    let timeless = is_onnx(domain) && (*of_head).min(*of_extractor) >= FIRST_SHARED_OPSET;
                    if !(timeless && only_timeless(self.head_graph)?) {
                        let (domain, extractor, head) = (domain.clone(), *of_extractor, *of_head);
                        return Err(OnnxError::OpsetConflict { domain, extractor, head });
                    }
                }
            }
        }
        Ok(merged)
    }
}

/// The names of the joined graph's values. `probs` and `logits` are the head's, and no other name is used by both
/// models.
struct Names {
    /// The prefix of the extractor's own `probs` and `logits`.
    extractor_prefix: String,
    /// The prefix of all other names of the head.
    head_prefix: String,
    /// The features' name in the joined graph.
    features: String,
    head_input: String,
}

impl Names {
    fn choose(extractor_graph: &[u8], features: &str, head_input: &str) -> Result<Self, OnnxError> {
        let mut taken = HashSet::new();
        value_names(extractor_graph, &mut |name| {
            taken.insert(name);
        })?;
        let free = |word: &str| {
            let mut prefix = format!("{word}/");
            while taken.iter().any(|name| name.starts_with(&prefix)) {
                prefix.insert(0, '_');
            }
            prefix
        };
        let mut names = Self {
            extractor_prefix: free("extractor"),
            head_prefix: free("head"),
            features: features.to_owned(),
            head_input: head_input.to_owned(),
        };
        if let Some(renamed) = names.of_extractor(features) {
            names.features = renamed;
        }
        Ok(names)
    }

    fn of_extractor(&self, name: &str) -> Option<String> {
        matches!(name, PROBS | LOGITS).then(|| format!("{}{name}", self.extractor_prefix))
    }

    fn of_head(&self, name: &str, flat: bool) -> String {
        match name {
            PROBS | LOGITS => name.to_owned(),
            _ if name == self.head_input && flat => self.features.clone(),
            _ if name == self.head_input => self.flattened(),
            _ => format!("{}{name}", self.head_prefix),
        }
    }

    fn flattened(&self) -> String {
        format!("{}{}", self.head_prefix, self.head_input)
    }
}

fn one<'v>(values: &'v [ValueFacts], rule: &str) -> Result<&'v ValueFacts, OnnxError> {
    match values {
        [value] => Ok(value),
        _ => Err(OnnxError::Shape(format!("{rule}, and here are {}", values.len()))),
    }
}

/// Whether the extractor's output fits the head's input, as far as both state their shapes.
fn check_features(features: &ValueFacts, head_input: &ValueFacts) -> Result<(), OnnxError> {
    let float = |value: &ValueFacts| value.element == Some(ElementType::FLOAT32);
    let length = |value: &ValueFacts| -> Option<u64> {
        value.dims.as_ref()?.iter().skip(1).try_fold(1_u64, |length, dim| match dim {
            Dim::Fixed(fixed) => length.checked_mul(*fixed),
            Dim::Symbol(_) | Dim::Unknown => None,
        })
    };
    let fits = match (length(features), length(head_input)) {
        (Some(given), Some(taken)) => given == taken,
        _ => true,
    };
    if float(features) && float(head_input) && fits {
        return Ok(());
    }
    Err(OnnxError::Shape(format!("the extractor gives {features}, and the head takes {head_input}")))
}

fn only_timeless(graph_bytes: &[u8]) -> Result<bool, OnnxError> {
    for field in fields(graph_bytes) {
        let field = field?;
        if field.number == graph::NODE && !TIMELESS.contains(&text_in(field.bytes()?, node::OP_TYPE)?) {
            return Ok(false);
        }
    }
    Ok(true)
}
