//! The models of a server, and their versions.

mod activation;
mod front;
mod pull;
mod push;
mod served;
mod standing;

pub use activation::{Activate, Activation};
pub use front::{AskedFront, Front};
pub use pull::{AskedOffer, PullPiece};
pub use push::{PushManner, PushOffer, PushPiece, PushState};
pub use served::{ModelRole, ServedModel};
pub use standing::ModelStanding;

use std::fmt::Display;
use std::str::FromStr;

use headwater_types::Digest;

use crate::request::digest_from;
use crate::status::Invalid;

/// A name, as it came.
fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, Invalid> {
    text.parse().map_err(|error| Invalid::new(format!("{error}")))
}

/// A digest that has to be there.
fn digest(bytes: &[u8], of: &str) -> Result<Digest, Invalid> {
    digest_from(bytes)?.ok_or_else(|| Invalid::new(format!("{of} has no digest")))
}

fn bytes(digest: Digest) -> bytes::Bytes {
    digest.as_bytes().to_vec().into()
}

/// A digest that may be missing, as it travels.
fn optional(digest: Option<Digest>) -> bytes::Bytes {
    digest.map(bytes).unwrap_or_default()
}
