//! What a model may ask for before it is loaded.

use headwater_types::ByteCount;
use headwater_types::caps::{MAX_MODEL_BYTES, MAX_MODEL_DEPTH, MAX_MODEL_NODES, MAX_MODEL_PORTS};

/// Limits on a model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of the file.
    pub max_bytes: ByteCount,
    /// Most operators and tensors, those of subgraphs and functions included.
    pub max_nodes: usize,
    /// Most graphs within graphs.
    pub max_depth: usize,
    /// Most entries of each list that is reported: inputs, outputs, metadata, opsets, functions.
    pub max_ports: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: MAX_MODEL_BYTES,
            max_nodes: MAX_MODEL_NODES,
            max_depth: MAX_MODEL_DEPTH,
            max_ports: MAX_MODEL_PORTS,
        }
    }
}
