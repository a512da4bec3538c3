//! Servers that stand in for each other: those that serve the same part of one listing, with the same digest.
//!
//! ```text
//!  Dataset ─▶ Seat, one for each partition ─▶ Member, one for each of its servers ─▶ connections
//!               chooses who is asked: up, and least busy      ▲
//!                                                          Keeper: asks those that are doubted, and finds new ones
//! ```
//!
//! A partition with one server is as it always was: it is waited for, and nobody looks after it.

mod alike;
mod answers;
mod gathering;
mod keeper;
mod means;
mod member;
mod memory;
mod replica;
mod seat;
mod seated;

pub(crate) use alike::{as_one, remarks};
pub(crate) use answers::Asked;
pub(crate) use gathering::{Gathered, Wanted, gather};
pub(crate) use keeper::{Keeper, Kept};
pub(crate) use means::Means;
pub(crate) use member::{Member, Standing};
pub(crate) use replica::Replica;
pub(crate) use seat::Seat;
pub(crate) use seated::Seated;
