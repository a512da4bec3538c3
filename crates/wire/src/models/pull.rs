//! A version that a server fetches from another, after it was away.

use headwater_types::caps::{MAX_HELD_MODELS, MAX_MODEL_PIECE};
use headwater_types::{Digest, ModelName};

use super::{bytes, digest, parsed};
use crate::proto;
use crate::status::Invalid;

/// A version that a server wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedOffer {
    /// The name by which requests ask for it.
    pub name: ModelName,
    /// The version.
    pub digest: Digest,
    /// Versions that the asking server has, the one that serves first.
    pub held: Vec<Digest>,
}

/// A piece that a server wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PullPiece {
    /// BLAKE3 of the bytes that travel.
    pub transfer: Digest,
    /// Where it begins.
    pub place: u64,
    /// Most bytes of it.
    pub most: usize,
}

impl From<AskedOffer> for proto::OfferModelRequest {
    fn from(asked: AskedOffer) -> Self {
        let AskedOffer { name, digest, held } = asked;
        Self { name: name.to_string(), digest: bytes(digest), held: held.into_iter().map(bytes).collect() }
    }
}

impl TryFrom<proto::OfferModelRequest> for AskedOffer {
    type Error = Invalid;

    fn try_from(request: proto::OfferModelRequest) -> Result<Self, Invalid> {
        let proto::OfferModelRequest { name, digest: of, held } = request;
        if held.len() > MAX_HELD_MODELS {
            return Err(Invalid::new(format!("{} versions are more than {MAX_HELD_MODELS}", held.len())));
        }
        let held = held.iter().map(|bytes| digest(bytes, "a version")).collect::<Result<_, _>>()?;
        Ok(Self { name: parsed(&name)?, digest: digest(&of, "a version")?, held })
    }
}

impl From<PullPiece> for proto::PullPieceRequest {
    fn from(piece: PullPiece) -> Self {
        let PullPiece { transfer, place, most } = piece;
        Self { transfer: bytes(transfer), place, most: u32::try_from(most).unwrap_or(u32::MAX) }
    }
}

impl TryFrom<proto::PullPieceRequest> for PullPiece {
    type Error = Invalid;

    fn try_from(request: proto::PullPieceRequest) -> Result<Self, Invalid> {
        let proto::PullPieceRequest { transfer, place, most } = request;
        let most = (most as usize).min(MAX_MODEL_PIECE);
        Ok(Self { transfer: digest(&transfer, "a transfer")?, place, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_reads_back_as_it_was_written() {
        let (name, digest) = ("m".parse().unwrap(), Digest::of(b"m"));
        let asked = AskedOffer { name, digest, held: vec![Digest::of(b"a")] };
        let written = proto::OfferModelRequest::from(asked.clone());
        assert_eq!(AskedOffer::try_from(written.clone()), Ok(asked));
        let held = vec![written.digest.clone(); MAX_HELD_MODELS + 1];
        assert!(AskedOffer::try_from(proto::OfferModelRequest { held, ..written }).is_err());
        let piece = PullPiece { transfer: digest, place: 3, most: 9 };
        assert_eq!(PullPiece::try_from(proto::PullPieceRequest::from(piece)), Ok(piece));
        let all = PullPiece { most: usize::MAX, ..piece };
        assert_eq!(PullPiece::try_from(proto::PullPieceRequest::from(all)).unwrap().most, MAX_MODEL_PIECE);
    }
}
