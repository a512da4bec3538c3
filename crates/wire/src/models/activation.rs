//! Which version is to serve.

use headwater_types::caps::MAX_NAME_BYTES;
use headwater_types::{Digest, ModelName};

use super::{bytes, digest, parsed};
use crate::proto;
use crate::status::Invalid;

/// A version that is to serve: one that was pushed, or the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activate {
    /// The name by which requests ask for it.
    pub name: ModelName,
    /// BLAKE3 of its file.
    pub digest: Digest,
    /// Greater than that of every server.
    pub revision: u64,
}

/// What serves after an activation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// The revision that counts now.
    pub revision: u64,
    /// BLAKE3 of the file that serves.
    pub digest: Digest,
    /// Heads that do not fit its features, and label nothing until one is pushed that does.
    pub unfit_heads: Vec<String>,
}

/// Most heads of one server that are taken.
const MAX_HEADS: usize = 4096;

impl Activate {
    fn read(name: &str, of: &[u8], revision: u64) -> Result<Self, Invalid> {
        match revision {
            0 => Err(Invalid::new("an activation without a revision")),
            revision => Ok(Self { name: parsed(name)?, digest: digest(of, "an activation")?, revision }),
        }
    }
}

impl From<Activate> for proto::ActivateModelRequest {
    fn from(activate: Activate) -> Self {
        let Activate { name, digest, revision } = activate;
        Self { name: name.to_string(), digest: bytes(digest), revision }
    }
}

impl TryFrom<proto::ActivateModelRequest> for Activate {
    type Error = Invalid;

    fn try_from(request: proto::ActivateModelRequest) -> Result<Self, Invalid> {
        Self::read(&request.name, &request.digest, request.revision)
    }
}

impl From<Activate> for proto::RollBackModelRequest {
    fn from(activate: Activate) -> Self {
        let Activate { name, digest, revision } = activate;
        Self { name: name.to_string(), digest: bytes(digest), revision }
    }
}

impl TryFrom<proto::RollBackModelRequest> for Activate {
    type Error = Invalid;

    fn try_from(request: proto::RollBackModelRequest) -> Result<Self, Invalid> {
        Self::read(&request.name, &request.digest, request.revision)
    }
}

impl From<Activation> for proto::Activation {
    fn from(activation: Activation) -> Self {
        let Activation { revision, digest, unfit_heads } = activation;
        Self { revision, digest: bytes(digest), unfit_heads }
    }
}

impl TryFrom<proto::Activation> for Activation {
    type Error = Invalid;

    fn try_from(activation: proto::Activation) -> Result<Self, Invalid> {
        let proto::Activation { revision, digest: of, unfit_heads } = activation;
        if unfit_heads.len() > MAX_HEADS || unfit_heads.iter().any(|head| head.len() > MAX_NAME_BYTES) {
            return Err(Invalid::new("an activation names more heads than a server has"));
        }
        Ok(Self { revision, digest: digest(&of, "an activation")?, unfit_heads })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activations_and_rollbacks_read_back_and_have_a_revision() {
        let activate = Activate { name: "m".parse().unwrap(), digest: Digest::of(b"m"), revision: 3 };
        let asked = proto::ActivateModelRequest::from(activate.clone());
        assert_eq!(Activate::try_from(asked.clone()), Ok(activate.clone()));
        assert_eq!(Activate::try_from(proto::RollBackModelRequest::from(activate.clone())), Ok(activate));
        assert!(Activate::try_from(proto::ActivateModelRequest { revision: 0, ..asked.clone() }).is_err());
        assert!(Activate::try_from(proto::ActivateModelRequest { digest: Default::default(), ..asked }).is_err());
        let done = Activation { revision: 3, digest: Digest::of(b"m"), unfit_heads: vec!["h".to_owned()] };
        assert_eq!(Activation::try_from(proto::Activation::from(done.clone())), Ok(done));
    }
}
