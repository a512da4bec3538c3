//! Two things on paper. A cache: traces of accesses, replayed through the policies that the real cache runs
//! ([`headwater_policy::Tiers`]), against a store that exists only as numbers.
//!
//! In the order in which data passes: a [`Trace`] is read from text; its [`Outlook`] says when each sample is needed
//! next, as far as a policy may know; a [`Replay`] reads every access through the tiers and gives a [`Report`]; a
//! [`Curve`] is hit rates over sizes, for each policy.
//!
//! Invariant: every access is counted once, as a hit in memory, a hit on the SSD, a read of the origin, or
//! as answered with another sample.
//!
//! Training over unequal machines: a [`SyncRun`] repeats rounds of a [`Cluster`] on a virtual clock, by the plan that a
//! coordinator makes ([`headwater_plan::sync`]), and gives a [`SyncReport`].
//!
//! Never here: files, arguments and bars (`headwater-measure`).

mod trace;

mod outlook;

mod swaps;

mod counts;
mod replay;

mod curve;

mod sync;

pub use counts::{Counts, OfEpoch, OfJob, OfTier, Report};
pub use curve::Curve;
pub use outlook::Outlook;
pub use replay::Replay;
pub use sync::{Cluster, ClusterError, MOST_CLUSTER_BYTES, SyncError, SyncReport, SyncRun};
pub use trace::{MOST_BYTES, Trace, TraceError, TraceFault};
