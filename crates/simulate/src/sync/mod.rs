//! Training over unequal machines on a virtual clock: who makes how many local steps, and how long rounds take.
//!
//! In the order in which data passes: a [`Cluster`] says what a step and an exchange take each worker; a [`SyncRun`]
//! repeats rounds by the plan that a coordinator would make ([`headwater_plan::sync`]), and gives a [`SyncReport`].
//!
//! Costs are known from the first round on, and stay as they are: there is no warm-up, and nobody is late. One that
//! joins later is measured by one step in its first round.

mod cluster;

mod apart;
mod joining;
mod report;
mod rounds;
mod run;

pub use cluster::{Cluster, ClusterError, MOST_CLUSTER_BYTES};
pub use report::SyncReport;
pub use run::{SyncError, SyncRun};
