//! What is known of a model that passed the check.

use headwater_types::Digest;

use crate::value::ValueFacts;

/// The facts of a model that passed the check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFacts {
    /// BLAKE3 of the file.
    pub digest: Digest,
    /// Version of the file format.
    pub ir_version: u64,
    /// Imported operator sets: domain (empty for ONNX's own) and version.
    pub opsets: Vec<(String, u64)>,
    /// The inputs that must be fed: those of the graph that have no initial value.
    pub inputs: Vec<ValueFacts>,
    /// The outputs that can be asked for.
    pub outputs: Vec<ValueFacts>,
    /// The metadata, key and value, in the file's order.
    pub metadata: Vec<(String, String)>,
    /// Number of operators, those of subgraphs and functions included.
    pub nodes: usize,
}

// === impl ModelFacts ===

impl ModelFacts {
    /// The facts of a file in which nothing has been read yet.
    pub(super) fn of_nothing() -> Self {
        Self {
            digest: Digest::of(&[]),
            ir_version: 0,
            opsets: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            metadata: Vec::new(),
            nodes: 0,
        }
    }
}
