//! The check that every model passes before anything else looks at it.

mod facts;
mod tensors;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use headwater_types::{ByteCount, Digest};

pub use facts::ModelFacts;

use tensors::check_tensor;

use crate::error::OnnxError;
use crate::limits::Limits;
use crate::opset::{check_opsets, read_opset};
use crate::schema::{attribute, entry, function, graph, model, node, tensor};
use crate::value::ValueFacts;
use crate::walk::{graph_of, text_in};
use crate::wire::{Field, fields};

/// Sparse tensors are refused: they are made dense when they are loaded, at a size that their bytes do not bound.
const SPARSE: OnnxError = OnnxError::Unsupported("sparse tensors");

/// Checks a model: size, structure, counts, nesting, no data outside the file, no operators but ONNX's own, a known
/// opset. Takes time linear in the bytes.
pub fn check(bytes: &[u8], limits: &Limits) -> Result<ModelFacts, OnnxError> {
    let actual = ByteCount::from(bytes.len());
    if actual > limits.max_bytes {
        return Err(OnnxError::TooLarge { actual, limit: limits.max_bytes });
    }
    let mut checker = Checker { limits, functions: HashSet::new(), parts: 0, nodes: 0 };
    let facts = checker.model(bytes)?;
    Ok(ModelFacts { digest: Digest::of(bytes), nodes: checker.nodes, ..facts })
}

/// What the check has counted so far.
struct Checker<'a> {
    limits: &'a Limits,
    /// Domain and name of the functions that the model defines itself.
    functions: HashSet<(&'a str, &'a str)>,
    parts: usize,
    nodes: usize,
}

// === impl Checker ===

impl<'a> Checker<'a> {
    fn model(&mut self, bytes: &'a [u8]) -> Result<ModelFacts, OnnxError> {
        let mut facts = ModelFacts::of_nothing();
        for field in fields(bytes) {
            self.model_field(&field?, &mut facts)?;
        }
        check_opsets(&facts.opsets)?;
        for field in fields(bytes).flatten().filter(|field| field.number == model::FUNCTIONS) {
            self.function(field.bytes()?)?;
        }
        let graph_bytes = graph_of(bytes)?;
        self.graph(graph_bytes, 0)?;
        self.ports(graph_bytes, &mut facts)?;
        Ok(facts)
    }

    fn model_field(&mut self, field: &Field<'a>, facts: &mut ModelFacts) -> Result<(), OnnxError> {
        match field.number {
            model::IR_VERSION => facts.ir_version = field.number()?,
            model::OPSET_IMPORT => {
                self.room("opsets", facts.opsets.len())?;
                facts.opsets.push(read_opset(field.bytes()?)?);
            }
            model::METADATA => {
                self.room("metadata entries", facts.metadata.len())?;
                facts.metadata.push(read_entry(field.bytes()?)?);
            }
            model::FUNCTIONS => {
                self.room("functions", self.functions.len())?;
                let bytes = field.bytes()?;
                self.functions.insert((text_in(bytes, function::DOMAIN)?, text_in(bytes, function::NAME)?));
            }
            model::TRAINING_INFO => return Err(OnnxError::Unsupported("training information")),
            _ => {}
        }
        Ok(())
    }

    fn ports(&self, graph_bytes: &'a [u8], facts: &mut ModelFacts) -> Result<(), OnnxError> {
        for field in fields(graph_bytes) {
            let field = field?;
            let (what, ports) = match field.number {
                graph::INPUT => ("inputs", &mut facts.inputs),
                graph::OUTPUT => ("outputs", &mut facts.outputs),
                _ => continue,
            };
            self.room(what, ports.len())?;
            ports.push(ValueFacts::read(field.bytes()?)?);
        }
        // Before IR version 4 every initialiser was listed as an input too.
        let mut initialized = HashSet::new();
        for field in fields(graph_bytes).flatten().filter(|field| field.number == graph::INITIALIZER) {
            initialized.insert(text_in(field.bytes()?, tensor::NAME)?);
        }
        facts.inputs.retain(|input| !initialized.contains(input.name.as_str()));
        Ok(())
    }

    fn graph(&mut self, bytes: &'a [u8], depth: usize) -> Result<(), OnnxError> {
        if depth > self.limits.max_depth {
            return Err(OnnxError::TooMany { what: "graphs within graphs", limit: self.limits.max_depth });
        }
        for field in fields(bytes) {
            let field = field?;
            self.part()?;
            match field.number {
                graph::NODE => self.node(field.bytes()?, depth, true)?,
                graph::INITIALIZER => check_tensor(field.bytes()?)?,
                graph::SPARSE_INITIALIZER => return Err(SPARSE),
                _ => {}
            }
        }
        Ok(())
    }

    fn function(&mut self, bytes: &'a [u8]) -> Result<(), OnnxError> {
        for field in fields(bytes) {
            let field = field?;
            self.part()?;
            match field.number {
                // A function may call ONNX's own operators and nothing else: what cannot recurse cannot run away.
                function::NODE => self.node(field.bytes()?, 0, false)?,
                function::ATTRIBUTE_PROTO => self.attribute(field.bytes()?, 0, false)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn node(&mut self, bytes: &'a [u8], depth: usize, may_call: bool) -> Result<(), OnnxError> {
        self.nodes += 1;
        let (op_type, domain) = (text_in(bytes, node::OP_TYPE)?, text_in(bytes, node::DOMAIN)?);
        let known = match domain {
            "" | "ai.onnx" | "ai.onnx.ml" => true,
            _ => may_call && self.functions.contains(&(domain, op_type)),
        };
        if !known {
            return Err(OnnxError::CustomOperator { op_type: op_type.to_owned(), domain: domain.to_owned() });
        }
        for field in fields(bytes) {
            let field = field?;
            if field.number == node::ATTRIBUTE {
                self.attribute(field.bytes()?, depth, may_call)?;
            }
        }
        Ok(())
    }

    fn attribute(&mut self, bytes: &'a [u8], depth: usize, may_call: bool) -> Result<(), OnnxError> {
        for field in fields(bytes) {
            let field = field?;
            match field.number {
                attribute::TENSOR | attribute::TENSORS => check_tensor(field.bytes()?)?,
                attribute::SPARSE_TENSOR | attribute::SPARSE_TENSORS => return Err(SPARSE),
                attribute::GRAPH | attribute::GRAPHS if may_call => self.graph(field.bytes()?, depth + 1)?,
                attribute::GRAPH | attribute::GRAPHS => {
                    return Err(OnnxError::Unsupported("a function with control flow"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn part(&mut self) -> Result<(), OnnxError> {
        self.parts += 1;
        if self.parts > self.limits.max_nodes {
            return Err(OnnxError::TooMany { what: "operators and tensors", limit: self.limits.max_nodes });
        }
        Ok(())
    }

    fn room(&self, what: &'static str, count: usize) -> Result<(), OnnxError> {
        if count >= self.limits.max_ports {
            return Err(OnnxError::TooMany { what, limit: self.limits.max_ports });
        }
        Ok(())
    }
}

fn read_entry(bytes: &[u8]) -> Result<(String, String), OnnxError> {
    Ok((text_in(bytes, entry::KEY)?.to_owned(), text_in(bytes, entry::VALUE)?.to_owned()))
}
