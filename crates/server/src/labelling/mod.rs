//! Models label the samples of datasets, here where the photos are, and the labels are asked for.
//!
//! ```text
//! Relabel ─▶ jobs ─▶ job ─▶ pass over a generation ─┬─▶ features that are kept ──┐
//!            (one runs at a time)                   └─▶ pipeline: pixels, model ─┴─▶ classifier ─▶ rows ─▶ index
//! AskLabels, CountLabels ─▶ source ─▶ standings: the best class of each sample of a generation, in memory ◀──┘
//! ```
//!
//! Invariants: a row says of which version of the photo it is, and by which labeller; a sample of a version that a
//! labeller has labelled is not labelled again; a job goes on after a restart of the server, because what it has done
//! is in the index and what it is to do is a record there. Photos do not leave the node.

mod classifiers;
mod failing;
mod gathered;
mod job;
mod jobs;
mod pass;
mod record;
mod shelf;
mod source;
mod standings;

pub(crate) use classifiers::Classifiers;
pub(crate) use jobs::LabellingJobs;
pub(crate) use shelf::Shelf;
pub(crate) use source::{Asked, NoSource};
