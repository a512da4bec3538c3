//! A model cut down to what some of its outputs need.
//!
//! ONNX Runtime computes every node of a graph, and holds its weights, even where nothing reads its result. An
//! extractor that still has its old classifier would spend time on it with every photo.

use std::collections::{HashMap, HashSet};

use crate::check::check;
use crate::error::OnnxError;
use crate::limits::Limits;
use crate::schema::{graph, model, quantization, tensor, value_info};
use crate::walk::{Mention, graph_of, mentions, text_in};
use crate::wire::{Parts, fields};

/// The model with these outputs only, and without the nodes and weights that none of them needs. All other fields are
/// kept byte for byte.
pub fn prune(bytes: &[u8], outputs: &[&str], limits: &Limits) -> Result<Vec<u8>, OnnxError> {
    check(bytes, limits)?;
    let graph_bytes = graph_of(bytes)?;
    let needed = Needed::find(graph_bytes, outputs, &[])?;
    let mut out = Parts::default();
    for field in fields(bytes) {
        let field = field?;
        match field.number {
            model::GRAPH => out.nest(model::GRAPH, needed.keep(graph_bytes, outputs)?),
            _ => out.carry(&field),
        }
    }
    Ok(out.finish())
}

/// The nodes and values that the wanted outputs need, found from the outputs back.
pub(crate) struct Needed<'a> {
    /// Whether each node is needed, by its place among the graph's nodes.
    nodes: Vec<bool>,
    /// Values that are wanted, or that a needed node reads or makes.
    values: HashSet<&'a str>,
    /// Values that have an initial value.
    initialized: HashSet<&'a str>,
    /// Whether the needed nodes are fed with another value than the graph's inputs.
    is_tail: bool,
}

impl<'a> Needed<'a> {
    /// What the outputs need. What makes the values `from` is not looked for: they are given.
    pub(crate) fn find(graph_bytes: &'a [u8], outputs: &[&str], from: &[&str]) -> Result<Self, OnnxError> {
        let available = outputs_of(graph_bytes)?;
        let missing = outputs.iter().find(|wanted| !available.contains(wanted));
        match missing {
            Some(wanted) => Err(OnnxError::NoSuchOutput {
                wanted: (*wanted).to_owned(),
                available: available.iter().map(|name| (*name).to_owned()).collect(),
            }),
            None => Self::of(graph_bytes, outputs, from),
        }
    }

    /// What these values need, outputs or not, where the values `from` are given. A value that nothing makes needs
    /// nothing.
    pub(crate) fn of(graph_bytes: &'a [u8], wanted: &[&str], from: &[&str]) -> Result<Self, OnnxError> {
        let mut nodes = Vec::new();
        let mut made_by = HashMap::new();
        let mut initialized = HashSet::new();
        for field in fields(graph_bytes) {
            let field = field?;
            match field.number {
                graph::NODE => {
                    let position = nodes.len();
                    nodes.push(field.bytes()?);
                    mentions(field.bytes()?, &mut |mention| {
                        if let Mention::Makes(name) = mention {
                            made_by.insert(name, position);
                        }
                    })?;
                }
                graph::INITIALIZER => {
                    initialized.insert(text_in(field.bytes()?, tensor::NAME)?);
                }
                _ => {}
            }
        }
        let (values, is_tail) = (HashSet::new(), !from.is_empty());
        let mut needed = Self { nodes: vec![false; nodes.len()], values, initialized, is_tail };
        let mut open: Vec<&'a str> = Vec::new();
        for wanted in wanted {
            let node = made_by.get(wanted).map(|&position: &usize| nodes[position]);
            match node {
                Some(node) => open.extend(made(node, wanted)?),
                None => open.extend(declared(graph_bytes, wanted)?),
            }
        }
        while let Some(name) = open.pop() {
            if !needed.values.insert(name) || from.contains(&name) {
                continue;
            }
            let Some(&position) = made_by.get(name) else { continue };
            if std::mem::replace(&mut needed.nodes[position], true) {
                continue;
            }
            // A name within a subgraph may be its own: then too much is kept, never too little.
            mentions(nodes[position], &mut |mention| match mention {
                Mention::Reads(name) | Mention::Inner(name) => open.push(name),
                Mention::Makes(_) => {}
            })?;
        }
        for (node, _) in nodes.iter().zip(&needed.nodes).filter(|(_, kept)| **kept) {
            mentions(node, &mut |mention| {
                if let Mention::Makes(name) = mention {
                    needed.values.insert(name);
                }
            })?;
        }
        Ok(needed)
    }

    /// Whether each node is needed, in the graph's order.
    pub(crate) fn nodes(&self) -> &[bool] {
        &self.nodes
    }

    /// A value that is needed, by its name.
    pub(crate) fn value(&self, name: &str) -> Option<&'a str> {
        self.values.get(name).copied()
    }

    pub(crate) fn keep(&self, graph_bytes: &'a [u8], outputs: &[&str]) -> Result<Parts<'a>, OnnxError> {
        self.keep_but(graph_bytes, outputs, &[])
    }

    /// What is needed, with these outputs, and without what is stated of the `restated` values.
    pub(crate) fn keep_but(
        &self,
        graph_bytes: &'a [u8],
        outputs: &[&str],
        restated: &[&str],
    ) -> Result<Parts<'a>, OnnxError> {
        let mut kept = Parts::default();
        let mut nodes = self.nodes.iter();
        for field in fields(graph_bytes) {
            let field = field?;
            let keep = match field.number {
                graph::NODE => nodes.next().is_some_and(|kept| *kept),
                graph::INITIALIZER => self.values.contains(text_in(field.bytes()?, tensor::NAME)?),
                graph::VALUE_INFO => {
                    let name = text_in(field.bytes()?, value_info::NAME)?;
                    self.values.contains(name) && !restated.contains(&name)
                }
                graph::QUANTIZATION => self.values.contains(text_in(field.bytes()?, quantization::TENSOR_NAME)?),
                graph::OUTPUT => outputs.contains(&text_in(field.bytes()?, value_info::NAME)?),
                graph::INPUT => self.keeps_input(text_in(field.bytes()?, value_info::NAME)?),
                _ => true,
            };
            if keep {
                kept.carry(&field);
            }
        }
        Ok(kept)
    }

    /// What must be fed stays, used or not: it is the model's face. An initialiser's shadow goes with it. A tail is fed
    /// with another value.
    fn keeps_input(&self, name: &str) -> bool {
        match self.initialized.contains(name) {
            true => self.values.contains(name),
            false => !self.is_tail,
        }
    }

    /// Whether a needed node reads this value, which has no initial value.
    pub(crate) fn reads(&self, name: &str) -> bool {
        self.values.contains(name) && !self.initialized.contains(name)
    }
}

/// The names of the graph's outputs.
fn outputs_of(graph_bytes: &[u8]) -> Result<Vec<&str>, OnnxError> {
    let mut names = Vec::new();
    for field in fields(graph_bytes) {
        let field = field?;
        if field.number == graph::OUTPUT {
            names.push(text_in(field.bytes()?, value_info::NAME)?);
        }
    }
    Ok(names)
}

/// The name where it stands among what a node makes.
fn made<'a>(node_bytes: &'a [u8], name: &str) -> Result<Option<&'a str>, OnnxError> {
    let mut found = None;
    mentions(node_bytes, &mut |mention| match mention {
        Mention::Makes(made) if made == name => found = Some(made),
        _ => {}
    })?;
    Ok(found)
}

/// The name where it stands among the inputs and outputs of the graph: it may be an input that is an output too.
fn declared<'a>(graph_bytes: &'a [u8], name: &str) -> Result<Option<&'a str>, OnnxError> {
    for field in fields(graph_bytes) {
        let field = field?;
        if matches!(field.number, graph::INPUT | graph::OUTPUT) {
            let found = text_in(field.bytes()?, value_info::NAME)?;
            if found == name {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}
