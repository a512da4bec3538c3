//! Several servers over one store: which of them is the home of a sample, and who of them lives.
//!
//! ```text
//! --peers, --peers-file ─▶ Addresses ─▶ Rounds: Introduce, every second ─▶ Share: who lives ─▶ Homes: of a sample
//! ```
//!
//! Invariants: whatever this server believes of others, a sample has the same bits; a call that another server hands on
//! is never handed on again; and nothing is kept here of a sample whose home is another.

mod counts;
mod model;
mod said;

mod neighbour;
mod share;

mod addresses;
mod apart;
mod call;

mod round;

pub(crate) use addresses::Addresses;
pub(crate) use call::channel;
#[cfg(test)]
pub(crate) use call::line;
pub(crate) use counts::Came;
pub(crate) use model::digest as model_digest;
pub(crate) use neighbour::{Need, Neighbour};
pub(crate) use round::Rounds;
pub(crate) use share::{Homes, Share};
