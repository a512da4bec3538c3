//! Which messages of a model hold tensors, and within which.

use crate::schema::{attribute, function, graph, model, node};

/// A message that is a tensor, or may hold some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Model,
    Graph,
    Function,
    Node,
    Attribute,
    Tensor,
}

// === impl Kind ===

impl Kind {
    /// What stands in a field of this number; `None` for what holds no tensor. (Sparse tensors are refused by the
    /// check, wherever their data lie.)
    pub(super) fn within(self, number: u32) -> Option<Self> {
        Some(match (self, number) {
            (Self::Model, model::GRAPH) => Self::Graph,
            (Self::Model, model::FUNCTIONS) => Self::Function,
            (Self::Graph, graph::NODE) | (Self::Function, function::NODE) => Self::Node,
            (Self::Graph, graph::INITIALIZER) => Self::Tensor,
            (Self::Function, function::ATTRIBUTE_PROTO) | (Self::Node, node::ATTRIBUTE) => Self::Attribute,
            (Self::Attribute, attribute::TENSOR | attribute::TENSORS) => Self::Tensor,
            (Self::Attribute, attribute::GRAPH | attribute::GRAPHS) => Self::Graph,
            _ => return None,
        })
    }
}
