//! A head that several unequal workers train together, each on its own features: only weights travel.
//!
//! ```text
//!            ┌─ hand ═ server: steps on its features ─┐
//! weights ─▶ ├─ hand ═ server                         ├─▶ ways ─▶ average or apply ─▶ weights of the next version
//!   steps    └─ hand ═ server, four times slower      ┘              │         │
//! by plan                                                       checkpoint   judge (beside the round)
//! ```
//!
//! In the order in which it is used: workers are [`Place`]s, on servers or here; each has a hand, which prepares it and
//! brings it orders; the crew is what is known of all; rounds are run until they are done ([`train`]), each by a
//! plan of `headwater_plan::sync`.
//!
//! Invariants: a worker that is away, silent or refused costs its own share of a round and nothing else; what comes
//! from a worker is checked before it moves a weight; every change of the weights is a version, and in the checkpoint
//! by the end of the next round. Never here: arguments, bars and pages (`headwater-tune`), how a step is computed
//! (`headwater-learn`), how many a worker takes (`headwater-plan`).

mod checkpoint_error;
mod error;
mod options;

mod here;
mod place;

mod event;
mod hand;

mod common;
mod crew;

mod weights;

mod differing;

mod checkpoint;
mod saver;

mod journal;
mod judge;

mod federated;

mod run;

mod alone;
mod barrier;

mod train;

pub use checkpoint::Checkpoint;
pub use checkpoint_error::CheckpointError;
pub use error::FederationError;
pub use federated::{Federated, FederatedWorker};
pub use here::Here;
pub use journal::{Journal, Listener, News, WorkerNews};
pub use options::{Combining, FederationOptions, Local};
pub use place::Place;
pub use train::train;
