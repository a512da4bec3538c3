//! The operators and values between a network's input and its outputs.

use std::collections::{HashMap, HashSet};

use crate::error::OnnxError;
use crate::prune::Needed;
use crate::schema::{graph, node};
use crate::walk::{Mention, graph_of, mentions, text_in};
use crate::wire::fields;

/// Operators and values on the way from the input to the outputs. Constants, and what is computed of constants alone,
/// are not among them: both halves of a network have their own.
#[derive(Debug)]
pub(super) struct Dag<'a> {
    /// In the order in which they run.
    pub(super) operators: Vec<Operator<'a>>,
    /// In the order in which they are made; the first is the input.
    pub(super) values: Vec<Value<'a>>,
}

#[derive(Debug)]
pub(super) struct Operator<'a> {
    pub(super) op_type: &'a str,
    /// Values that it reads, each once.
    pub(super) reads: Vec<usize>,
    pub(super) makes: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Value<'a> {
    pub(super) name: &'a str,
    /// The operator that makes it; `None` for the input.
    pub(super) maker: Option<usize>,
    pub(super) readers: Vec<usize>,
    /// Whether it is one of the wanted outputs.
    pub(super) wanted: bool,
}

// === impl Dag ===

impl<'a> Dag<'a> {
    /// The input, among the values.
    pub(super) const INPUT: usize = 0;

    /// Reads a model that passed the check.
    pub(super) fn read(bytes: &'a [u8], input: &str, outputs: &[&str]) -> Result<Self, OnnxError> {
        let graph_bytes = graph_of(bytes)?;
        let needed = Needed::find(graph_bytes, outputs, &[])?;
        let name = needed.value(input).ok_or_else(|| OnnxError::Shape(format!("no output is made of {input:?}")))?;
        let mut dag = Self { operators: Vec::new(), values: vec![Value::new(name, None, outputs)] };
        let (mut known, mut passed) = (HashMap::from([(name, Self::INPUT)]), HashSet::new());
        let nodes = fields(graph_bytes).flatten().filter(|field| field.number == graph::NODE);
        for (node, _) in nodes.zip(needed.nodes()).filter(|(_, is_needed)| **is_needed) {
            dag.add(node.bytes()?, outputs, &mut known, &mut passed)?;
        }
        if let Some(Value { name, .. }) = dag.values.iter().skip(1).find(|value| passed.contains(value.name)) {
            let message = format!("the operator that makes {name:?} stands behind one that reads it: sort the graph");
            return Err(OnnxError::Shape(message));
        }
        match outputs.iter().find(|output| !known.contains_key(**output)) {
            Some(output) => Err(OnnxError::Shape(format!("the output {output:?} is not made of the input {input:?}"))),
            None => Ok(dag),
        }
    }

    /// Adds a node, where it reads anything that is made of the input. `passed` takes the names that it reads and that
    /// nothing has made so far: constants, and what stands out of order.
    fn add(
        &mut self,
        bytes: &'a [u8],
        outputs: &[&str],
        known: &mut HashMap<&'a str, usize>,
        passed: &mut HashSet<&'a str>,
    ) -> Result<(), OnnxError> {
        let (mut reads, mut made, mut has_graph) = (Vec::new(), Vec::new(), false);
        mentions(bytes, &mut |mention| match mention {
            Mention::Reads(name) => match known.get(name) {
                Some(value) if !reads.contains(value) => reads.push(*value),
                Some(_) => {}
                None => drop(passed.insert(name)),
            },
            Mention::Makes(name) => made.push(name),
            Mention::Inner(_) => has_graph = true,
        })?;
        let op_type = text_in(bytes, node::OP_TYPE)?;
        if has_graph || CONTROL_FLOW.contains(&op_type) {
            let name = made.first().copied().unwrap_or_default().to_owned();
            return Err(OnnxError::ControlFlow { op_type: op_type.to_owned(), name });
        }
        if reads.is_empty() {
            return Ok(());
        }
        let operator = self.operators.len();
        reads.iter().for_each(|&value| self.values[value].readers.push(operator));
        let makes = (self.values.len()..self.values.len() + made.len()).collect();
        for name in made {
            known.insert(name, self.values.len());
            self.values.push(Value::new(name, Some(operator), outputs));
        }
        self.operators.push(Operator { op_type, reads, makes });
        Ok(())
    }

    /// The values through which every path from the input to an output goes, without the input: those that are the only
    /// one still needed where they are made.
    pub(super) fn separators(&self) -> Vec<usize> {
        let mut left: Vec<_> = self.values.iter().map(Value::uses).collect();
        let mut alive = 1;
        let mut found = Vec::new();
        for operator in &self.operators {
            for &value in &operator.reads {
                left[value] -= 1;
                alive -= usize::from(left[value] == 0);
            }
            let needed: Vec<_> = operator.makes.iter().copied().filter(|&value| left[value] > 0).collect();
            alive += needed.len();
            found.extend(needed.first().filter(|_| alive == 1 && needed.len() == 1));
        }
        found
    }

    /// For each operator, whether these values need it.
    pub(super) fn front_of(&self, values: &[usize]) -> Vec<bool> {
        let mut front = vec![false; self.operators.len()];
        let mut open: Vec<_> = values.iter().filter_map(|&value| self.values[value].maker).collect();
        while let Some(operator) = open.pop() {
            if !std::mem::replace(&mut front[operator], true) {
                open.extend(self.operators[operator].reads.iter().filter_map(|&value| self.values[value].maker));
            }
        }
        front
    }

    /// The most bytes that are held at once where these operators run, and the wanted values are kept to the end.
    pub(super) fn peak(&self, front: &[bool], wanted: &[bool], bytes_of: impl Fn(&str) -> u64) -> u64 {
        let readers = |value: &Value<'_>| value.readers.iter().filter(|&&reader| front[reader]).count();
        let mut left: Vec<_> = self.values.iter().map(readers).collect();
        let size = |value: usize| bytes_of(self.values[value].name);
        let mut held = size(Self::INPUT);
        let mut peak = held;
        for operator in
            self.operators.iter().zip(front).filter(|(_, is_front)| **is_front).map(|(operator, _)| operator)
        {
            held += operator.makes.iter().map(|&value| size(value)).sum::<u64>();
            peak = peak.max(held);
            for &value in &operator.reads {
                left[value] -= 1;
                held -= if left[value] == 0 && !wanted[value] { size(value) } else { 0 };
            }
            let unread = operator.makes.iter().filter(|&&value| left[value] == 0 && !wanted[value]);
            held -= unread.map(|&value| size(value)).sum::<u64>();
        }
        peak
    }
}

/// Operators whose graphs run once, often or not at all.
const CONTROL_FLOW: [&str; 3] = ["If", "Loop", "Scan"];

// === impl Value ===

impl<'a> Value<'a> {
    fn new(name: &'a str, maker: Option<usize>, outputs: &[&str]) -> Self {
        Self { name, maker, readers: Vec::new(), wanted: outputs.contains(&name) }
    }

    /// How often it is needed: once by each reader, and once where it is wanted.
    fn uses(&self) -> usize {
        self.readers.len() + usize::from(self.wanted)
    }
}
