//! A version on its way: announced, and then piece by piece.

use bytes::Bytes;
use headwater_types::caps::{MAX_LABEL_CLASSES, MAX_LABELLER_BYTES, MAX_MODEL_PIECE, MAX_RECIPE_BYTES};
use headwater_types::{ByteCount, Digest, ModelName, Recipe};

use super::{bytes, digest, optional, parsed};
use crate::proto;
use crate::request::digest_from;
use crate::status::Invalid;

/// A version that is announced.
#[derive(Clone, Debug, PartialEq)]
pub struct PushOffer {
    /// The name by which requests ask for it.
    pub name: ModelName,
    /// How it is to be opened.
    pub manner: PushManner,
    /// BLAKE3 of its file.
    pub digest: Digest,
    /// Size of its file.
    pub bytes: ByteCount,
    /// The model from which the difference was made; `None` where the model travels whole.
    pub base: Option<Digest>,
    /// BLAKE3 of the bytes that travel.
    pub transfer: Digest,
    /// How many these are.
    pub transfer_bytes: ByteCount,
}

/// How a version is to be opened.
#[derive(Clone, Debug, PartialEq)]
pub enum PushManner {
    /// It makes features of photos.
    Model {
        /// The recipe that makes its input; `None` for that of the version that serves.
        recipe: Option<Recipe>,
        /// The output that is taken; `None` for that of the version that serves.
        output: Option<String>,
        /// The names of its classes; none for those of its own file.
        classes: Vec<String>,
    },
    /// It makes scores of the features of another, which its file names.
    Head,
}

/// A piece of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushPiece {
    /// BLAKE3 of the bytes that travel; `None` for that of the piece before.
    pub transfer: Option<Digest>,
    /// Where it begins.
    pub place: u64,
    /// Its bytes.
    pub piece: Bytes,
}

/// How much of a version a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushState {
    /// Bytes of the transfer that are there.
    pub received: ByteCount,
    /// Whether the version is kept.
    pub is_complete: bool,
}

/// Most bytes of an output's name.
const MAX_OUTPUT: usize = 1024;

impl From<PushOffer> for proto::BeginPushRequest {
    fn from(offer: PushOffer) -> Self {
        let PushOffer { name, manner, digest, bytes: size, base, transfer, transfer_bytes } = offer;
        let both = Self {
            name: name.to_string(),
            digest: bytes(digest),
            bytes: size.get(),
            base: optional(base),
            transfer: bytes(transfer),
            transfer_bytes: transfer_bytes.get(),
            ..Self::default()
        };
        match manner {
            PushManner::Head => Self { head: true, ..both },
            PushManner::Model { recipe, output, classes } => {
                let recipe = recipe.map(|recipe| recipe.to_toml()).unwrap_or_default();
                Self { recipe, output: output.unwrap_or_default(), classes, ..both }
            }
        }
    }
}

impl TryFrom<proto::BeginPushRequest> for PushOffer {
    type Error = Invalid;

    fn try_from(request: proto::BeginPushRequest) -> Result<Self, Invalid> {
        Ok(Self {
            name: parsed(&request.name)?,
            manner: manner(&request)?,
            digest: digest(&request.digest, "a model")?,
            bytes: ByteCount::new(request.bytes),
            base: digest_from(&request.base)?,
            transfer: digest(&request.transfer, "a transfer")?,
            transfer_bytes: ByteCount::new(request.transfer_bytes),
        })
    }
}

fn manner(request: &proto::BeginPushRequest) -> Result<PushManner, Invalid> {
    let proto::BeginPushRequest { head, recipe, output, classes, .. } = request;
    if *head {
        return match recipe.is_empty() && output.is_empty() && classes.is_empty() {
            true => Ok(PushManner::Head),
            false => Err(Invalid::new("a head has no recipe, output or classes but those of its file")),
        };
    }
    let class_bytes: usize = classes.iter().map(String::len).sum();
    if output.len() > MAX_OUTPUT || recipe.len() > MAX_RECIPE_BYTES {
        return Err(Invalid::new("an output or a recipe that is longer than any"));
    }
    if classes.len() > MAX_LABEL_CLASSES || class_bytes > MAX_LABELLER_BYTES {
        return Err(Invalid::new(format!(
            "{} class names are more than {MAX_LABEL_CLASSES}, or longer",
            classes.len()
        )));
    }
    let recipe = (!recipe.is_empty()).then(|| Recipe::from_toml(recipe)).transpose();
    Ok(PushManner::Model {
        recipe: recipe.map_err(|error| Invalid::new(format!("the recipe: {error}")))?,
        output: (!output.is_empty()).then(|| output.clone()),
        classes: classes.clone(),
    })
}

impl From<PushPiece> for proto::PushPieceRequest {
    fn from(piece: PushPiece) -> Self {
        let PushPiece { transfer, place, piece } = piece;
        Self { transfer: optional(transfer), place, piece }
    }
}

impl TryFrom<proto::PushPieceRequest> for PushPiece {
    type Error = Invalid;

    fn try_from(request: proto::PushPieceRequest) -> Result<Self, Invalid> {
        let proto::PushPieceRequest { transfer, place, piece } = request;
        if piece.is_empty() || piece.len() > MAX_MODEL_PIECE {
            return Err(Invalid::new(format!("a piece of {} bytes: 1 to {MAX_MODEL_PIECE} are taken", piece.len())));
        }
        Ok(Self { transfer: digest_from(&transfer)?, place, piece })
    }
}

impl From<PushState> for proto::PushState {
    fn from(state: PushState) -> Self {
        Self { received: state.received.get(), complete: state.is_complete }
    }
}

impl From<proto::PushState> for PushState {
    fn from(state: proto::PushState) -> Self {
        Self { received: ByteCount::new(state.received), is_complete: state.complete }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(manner: PushManner) -> PushOffer {
        let (digest, transfer) = (Digest::of(b"m"), Digest::of(b"t"));
        let (bytes, transfer_bytes) = (ByteCount::new(9), ByteCount::new(3));
        let base = Some(Digest::of(b"b"));
        PushOffer { name: "m".parse().unwrap(), manner, digest, bytes, base, transfer, transfer_bytes }
    }

    #[test]
    fn offers_and_pieces_read_back_as_they_were_written() {
        let recipe = Recipe::builtin("mobilenet-eval");
        let full = PushManner::Model { recipe, output: Some("o".to_owned()), classes: vec!["a".to_owned()] };
        let bare = PushManner::Model { recipe: None, output: None, classes: Vec::new() };
        for manner in [full, bare, PushManner::Head] {
            let offer = offer(manner);
            assert_eq!(PushOffer::try_from(proto::BeginPushRequest::from(offer.clone())), Ok(offer));
        }
        for transfer in [Some(Digest::of(b"t")), None] {
            let piece = PushPiece { transfer, place: 7, piece: Bytes::from_static(b"abc") };
            assert_eq!(PushPiece::try_from(proto::PushPieceRequest::from(piece.clone())), Ok(piece));
        }
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        let good = proto::BeginPushRequest::from(offer(PushManner::Head));
        let refused = |request: proto::BeginPushRequest| PushOffer::try_from(request).unwrap_err().to_string();
        assert!(
            refused(proto::BeginPushRequest { recipe: "x".into(), ..good.clone() }).contains("a head has no recipe")
        );
        let model = proto::BeginPushRequest { head: false, ..good.clone() };
        assert!(refused(proto::BeginPushRequest { recipe: "x".into(), ..model.clone() }).contains("the recipe"));
        assert!(refused(proto::BeginPushRequest { output: "x".repeat(2000), ..model.clone() }).contains("longer"));
        let classes = vec![String::new(); MAX_LABEL_CLASSES + 1];
        assert!(refused(proto::BeginPushRequest { classes, ..model }).contains("class names"));
        assert!(refused(proto::BeginPushRequest { digest: Default::default(), ..good }).contains("no digest"));
        let piece = proto::PushPieceRequest { transfer: vec![1; 32].into(), place: 0, piece: Bytes::new() };
        assert!(PushPiece::try_from(piece).is_err());
    }
}
