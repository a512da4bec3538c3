//! Heads that are trained here, on the features of this server's own samples; only weights travel.
//!
//! ```text
//! PrepareTraining ─▶ workers ─▶ worker ─▶ gathering: features that are kept, else pipeline and model
//! BeginTraining ───────────────▶ begun: a LocalTrainer on them, standardised as all servers' are
//! Train ────────────────────────▶ steps on a thread of their own, one call after the other ─▶ the way they led
//! ScoreWeights ─────────────────▶ what is kept from training, beside the steps
//! ```
//!
//! Invariants: features lie within `--training-memory`, and are let go of when a training ends or is not heard of any
//! more; steps end soon after their caller hangs up; a worker's steps depend on the weights and the number of the first
//! step alone, so that a worker that comes anew goes on as the old one would have.

mod dealt;
mod memory;
mod pace;

mod gathered;
mod gathering;

mod begun;
mod worker;

mod workers;

pub(crate) use begun::Done;
pub(crate) use worker::{Stage, UnderWay, Worker};
pub(crate) use workers::Trainings;
