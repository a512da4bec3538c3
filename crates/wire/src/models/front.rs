//! The front of a model's network, up to a cut.

use headwater_types::{DevicePool, Digest, ModelName, NetworkCut};

use super::{bytes, digest, parsed};
use crate::devices::{devices_from, devices_to};
use crate::proto;
use crate::request::cut_from;
use crate::status::Invalid;

/// A front that is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedFront {
    /// The name by which requests ask for the model.
    pub model: ModelName,
    /// BLAKE3 of the model's file, as the client has seen it described.
    pub digest: Digest,
    /// Where its network is cut.
    pub cut: NetworkCut,
}

/// A front that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Front {
    /// What it is known by: [`NetworkCut::digest`].
    pub digest: Digest,
    /// Elements of all tensors at the cut, for one sample.
    pub elements: u32,
    /// Most samples in one run.
    pub max_batch: u32,
    /// The devices that run it; `None` where cores do, and from a server that does not say.
    pub devices: Option<DevicePool>,
}

impl From<AskedFront> for proto::OpenFrontRequest {
    fn from(asked: AskedFront) -> Self {
        let AskedFront { model, digest, cut } = asked;
        Self { model: model.to_string(), model_digest: bytes(digest), tensors: cut.tensors().to_vec() }
    }
}

impl TryFrom<proto::OpenFrontRequest> for AskedFront {
    type Error = Invalid;

    fn try_from(request: proto::OpenFrontRequest) -> Result<Self, Invalid> {
        let cut = cut_from(request.tensors)?.ok_or_else(|| Invalid::new("a front without a cut: name its tensors"))?;
        Ok(Self { model: parsed(&request.model)?, digest: digest(&request.model_digest, "the model of a front")?, cut })
    }
}

impl From<Front> for proto::Front {
    fn from(front: Front) -> Self {
        let Front { digest, elements, max_batch, devices } = front;
        Self { digest: bytes(digest), elements, max_batch, devices: devices_to(devices) }
    }
}

impl TryFrom<proto::Front> for Front {
    type Error = Invalid;

    fn try_from(front: proto::Front) -> Result<Self, Invalid> {
        let proto::Front { digest: of, elements, max_batch, devices } = front;
        match (elements, max_batch) {
            (0, _) | (_, 0) => Err(Invalid::new("a front that gives nothing")),
            _ => Ok(Self { digest: digest(&of, "a front")?, elements, max_batch, devices: devices_from(devices)? }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_front_and_the_question_for_it_read_back_and_name_all_that_they_need() {
        let (model, digest) = ("m".parse().unwrap(), Digest::of(b"m"));
        let asked = AskedFront { model, digest, cut: "a,b".parse().unwrap() };
        let request = proto::OpenFrontRequest::from(asked.clone());
        assert_eq!(AskedFront::try_from(request.clone()), Ok(asked));
        for broken in [
            proto::OpenFrontRequest { tensors: Vec::new(), ..request.clone() },
            proto::OpenFrontRequest { tensors: vec!["a".to_owned(); 2], ..request.clone() },
            proto::OpenFrontRequest { model_digest: Default::default(), ..request.clone() },
            proto::OpenFrontRequest { model: "a/b".to_owned(), ..request },
        ] {
            assert!(AskedFront::try_from(broken).is_err());
        }
        let front = Front { digest, elements: 7, max_batch: 2, devices: DevicePool::new(1, 2.5).ok() };
        assert_eq!(Front::try_from(proto::Front::from(front)), Ok(front));
        assert!(Front::try_from(proto::Front { elements: 0, ..front.into() }).is_err());
        let none = Some(proto::DevicePool { count: 0, rate: 2.5 });
        assert!(Front::try_from(proto::Front { devices: none, ..front.into() }).is_err());
        assert!(Front::try_from(proto::Front { digest: Default::default(), ..front.into() }).is_err());
    }
}
