//! Where a network can be cut in two: the values through which everything goes that its outputs are made of.
//!
//! ```text
//! image ─▶ Conv ─▶ Clip ─╎─▶ Conv ─▶ Clip ─╎─▶ Conv ─▶ Add ─╎─▶ ... ─▶ features
//!                        ╎      └──────────╎──────────▶┘    ╎
//!                        one value         two values       one value
//! ```
//!
//! A cut of one value separates the image from every wanted output: in the order in which operators run, it is the only
//! value that is still needed. Between two such values next to each other, and before the first and behind the last,
//! there may be a cut of a few values that takes fewer bytes than either: the minimum cut by bytes, found as the
//! maximum flow (Ford and Fulkerson 1956, by Dinic's algorithm).
//!
//! Invariant: no cut lies within a group of operators that ONNX Runtime makes one of (`fusion`), so that both halves
//! compute what the whole does, in about its time. Nothing here runs a model: how many bytes a value takes, the caller
//! says.

mod dag;
mod flow;
mod fusion;
mod region;

use std::collections::HashSet;

use dag::Dag;
use fusion::ties;
use region::Region;

use headwater_types::caps::MAX_CUT_TENSORS;

use crate::check::check;
use crate::error::OnnxError;
use crate::limits::Limits;

/// A network, read for its cuts.
#[derive(Debug)]
pub struct Network<'a> {
    dag: Dag<'a>,
    /// Operators that become one: who makes a value, and who reads it.
    tied: HashSet<(usize, usize)>,
}

/// A place where a network can be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The values that go from the front to the back, in the order in which they are made.
    pub values: Vec<String>,
    /// Bytes of these values.
    pub bytes: u64,
    /// Operators of the front.
    pub operators: usize,
}

/// All cuts of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cuts {
    /// The cuts, by the operators in front of them.
    pub cuts: Vec<Cut>,
    /// Stretches between two single values that were not searched for cuts of several, because they have more operators
    /// than [`MAX_REGION`].
    pub not_searched: usize,
}

/// Most operators between two single values that are searched for a cut of several values. The search takes time like
/// their number squared.
pub const MAX_REGION: usize = 2048;

// === impl Network ===

impl<'a> Network<'a> {
    /// Reads a model as the network from its only input to these outputs.
    ///
    /// # Errors
    /// A model that does not pass the check, has another number of inputs than one, lacks an output or makes one
    /// without its input, has control flow (`If`, `Loop`, `Scan`), or whose operators do not stand in order.
    pub fn read(bytes: &'a [u8], outputs: &[&str], limits: &Limits) -> Result<Self, OnnxError> {
        let facts = check(bytes, limits)?;
        let [input] = &facts.inputs[..] else {
            let inputs: Vec<_> = facts.inputs.iter().map(ToString::to_string).collect();
            let shown = if inputs.is_empty() { "none".to_owned() } else { inputs.join("; ") };
            return Err(OnnxError::Shape(format!("a network that is cut has one input, and this has {shown}")));
        };
        let dag = Dag::read(bytes, &input.name, outputs)?;
        let tied = ties(&dag);
        Ok(Self { dag, tied })
    }

    /// The name of the network's input.
    pub fn input(&self) -> &'a str {
        self.dag.values[Dag::INPUT].name
    }

    /// The names of all values between the input and the outputs, in the order in which they are made.
    pub fn values(&self) -> impl Iterator<Item = &'a str> {
        self.dag.values.iter().skip(1).map(|value| value.name)
    }

    /// Operators between the input and the outputs.
    pub fn operators(&self) -> usize {
        self.dag.operators.len()
    }

    /// The cuts, where `bytes_of` says how many bytes a value takes; through a value of which it does not know goes no
    /// cut. The input and the outputs are no cuts.
    pub fn cuts(&self, bytes_of: impl Fn(&str) -> Option<u64>) -> Cuts {
        let bytes: Vec<_> = self.dag.values.iter().map(|value| bytes_of(value.name)).collect();
        let singles: Vec<_> = self.dag.separators().into_iter().filter(|&value| self.may_cut(value, &bytes)).collect();
        let mut found = Cuts::default();
        let mut before = Dag::INPUT;
        for value in singles.iter().copied().map(Some).chain([None]) {
            self.search(Region { before, behind: value }, &bytes, &mut found);
            if let Some(value) = value {
                found.cuts.push(self.cut(&[value], self.dag.front_of(&[value]), &bytes));
                before = value;
            }
        }
        found
    }

    /// Bytes that are held at once, at most, where the front of a cut runs and a value is dropped with its last reader.
    pub fn peak(&self, cut: &[String], bytes_of: impl Fn(&str) -> Option<u64>) -> u64 {
        let wanted: Vec<_> = self.dag.values.iter().map(|value| cut.iter().any(|name| name == value.name)).collect();
        let wanted_values: Vec<_> = (0..wanted.len()).filter(|&value| wanted[value]).collect();
        self.dag.peak(&self.dag.front_of(&wanted_values), &wanted, |value| bytes_of(value).unwrap_or(0))
    }

    /// Whether a single value may be a cut: no output, of known bytes, and not within what becomes one operator.
    fn may_cut(&self, value: usize, bytes: &[Option<u64>]) -> bool {
        let of = &self.dag.values[value];
        let within = |maker| of.readers.iter().any(|&reader| self.tied.contains(&(maker, reader)));
        value != Dag::INPUT && !of.wanted && bytes[value].is_some() && !of.maker.is_some_and(within)
    }

    /// Adds the cut of several values in a region, where it takes fewer bytes than the single values at its ends.
    fn search(&self, region: Region, bytes: &[Option<u64>], found: &mut Cuts) {
        let end = |value: Option<usize>| value.and_then(|value| bytes[value]).unwrap_or(u64::MAX);
        let most = end(Some(region.before)).min(end(region.behind));
        let operators = region.operators(&self.dag);
        if operators.len() > MAX_REGION {
            found.not_searched += 1;
            return;
        }
        let Some((values, front)) = region.minimum(&self.dag, &operators, &self.tied, bytes) else { return };
        let cut = self.cut(&values, front, bytes);
        if (2..=MAX_CUT_TENSORS).contains(&values.len()) && cut.bytes < most {
            found.cuts.push(cut);
        }
    }

    fn cut(&self, values: &[usize], front: Vec<bool>, bytes: &[Option<u64>]) -> Cut {
        Cut {
            values: values.iter().map(|&value| self.dag.values[value].name.to_owned()).collect(),
            bytes: values.iter().filter_map(|&value| bytes[value]).sum(),
            operators: front.into_iter().filter(|&is_front| is_front).count(),
        }
    }
}

#[cfg(test)]
mod tests;
