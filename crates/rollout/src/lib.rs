//! A model pushed to several servers: as little as need be sent, activated on all, undone on all.
//!
//! ```text
//! model ─▶ standing of each server ─▶ equal | delta from a base that both have | whole ─▶ pieces ─▶ kept
//!                                                                all revisions + 1 ─▶ activated, each at once
//! ```
//!
//! Invariants: a server gets what is fewest bytes for it; what is activated has come whole there, and been checked; an
//! activation has a revision above that of every server that answered, so that none from before counts any more. One
//! server that is away keeps none of the others.

pub mod bases;

mod deltas;

pub mod push;
pub mod rollback;

pub use bases::{Bases, BasesError};
pub use push::{Candidate, Fleet, Kind, Pushed, ServerPush, push};
pub use rollback::{RollbackError, RolledBack, roll_back};
