//! Where a network is cut between storage servers and the tuner, and how many servers are worth it: NDPipe's planner
//! (APO, "automatic pipeline organisation", ASPLOS 2024), with unequal servers and a choice among more kinds of cut.
//!
//! ```text
//! photos ─▶ [ servers: recipe, front of the network ] ══ network ══▶ [ tuner: back of the network ] ─▶ features
//!            a batch on each core                        bytes           a batch on each core
//! ```
//!
//! In the order in which it is used: a [`NetworkProfile`] says what one image costs at each cut, as `profiler model`
//! measured it; a [`Fleet`] says which servers there are, in the order in which they are added, with their shares of
//! the images; [`partition`] looks at every cut, coded or not, every batch and every number of servers, and gives the
//! shortest epoch.
//!
//! With `I` images, of which the server `j` of `k` has `I w_j / (w_1 + ... + w_k)`, for a cut of `b` bytes, `s` server
//! seconds and `t` tuner seconds an image:
//!
//! ```text
//! storage = the longest of (images of j) s / (cores of j)
//! network = the longest of 8 b I / (the tuner's bandwidth) and 8 b (images of j) / (bandwidth of j)
//! tuner   = I t / (the tuner's cores)
//! fill    = what one batch takes in the two stages that are not the longest: s, 8 b / (the least bandwidth), t, each
//!           times the batch
//! epoch   = the longest of the three + fill
//! ```
//!
//! A server whose devices run the front has one stage more, which works beside its cores. `s` is then what its cores do
//! for an image beside the devices, and the front takes its part `p` of the time that a device takes for the whole
//! network. The stage's batch in `fill` is on the slowest of the devices.
//!
//! ```text
//! device  = the longest of (images of j) p / ((devices of j) (images a second of one))
//! ```
//!
//! The stages work at the same time, batch by batch, so that the epoch takes as long as the slowest one, and as long as
//! its first and last batch take in the others. NDPipe's planner balances the stages of two kinds of node the same way,
//! for equal servers and batches of one size; a batch is bounded by each server's memory as in HAPI (SoCC 2024).
//!
//! Invariant: the choice is exhaustive search's. Nothing here measures, or reads a file.

mod limits;

mod error;
mod fleet;
mod profile;

mod choice;
mod devices;
mod search;
mod stages;

pub use choice::{Choice, StageSeconds};
pub use error::PartitionError;
pub use fleet::{Fleet, FleetServer};
pub use profile::{
    BatchCost, CutCosts, CutTensor, FORMAT, FrontMemory, MAX_NETWORK_PROFILE_BYTES, NetworkProfile,
    NetworkProfileError, NotMeasured,
};
pub use search::{Partition, partition};

#[cfg(test)]
mod tests;
