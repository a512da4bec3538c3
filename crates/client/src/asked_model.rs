//! What makes the features that are asked for: a model, or the front of one.

use headwater_types::{ModelName, NetworkCut};

use crate::error::ClientError;
use crate::model::RegisteredModel;
use crate::union::Union;

/// What makes the features that are asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum AskedModel {
    /// A model, whole.
    Whole(ModelName),
    /// A model's network up to a cut, for a client that runs what lies behind.
    Front(Box<Front>),
}

/// The front of a model's network, which servers have opened: see [`Dataset::open_front`](crate::Dataset::open_front).
#[derive(Clone, Debug, PartialEq)]
pub struct Front {
    /// The front as a model: its digest is [`NetworkCut::digest`], and its features are the elements of all tensors.
    pub model: RegisteredModel,
    /// Where the network is cut.
    pub cut: NetworkCut,
    /// Samples that a server's core runs at once: the fewest of all servers.
    pub max_batch: u32,
}

// === impl AskedModel ===

impl AskedModel {
    /// The model as the servers have it, and where it is cut.
    pub(crate) fn found(self, union: &Union) -> Result<(RegisteredModel, Option<NetworkCut>), ClientError> {
        match self {
            Self::Whole(name) => Ok((union.registered_model(&name)?, None)),
            Self::Front(front) => Ok((front.model, Some(front.cut))),
        }
    }
}

impl From<ModelName> for AskedModel {
    fn from(name: ModelName) -> Self {
        Self::Whole(name)
    }
}

impl From<Front> for AskedModel {
    fn from(front: Front) -> Self {
        Self::Front(Box::new(front))
    }
}
