//! Models label the samples of datasets, here where the photos are.
//!
//! ```text
//! Relabel ─▶ jobs ─▶ job ─▶ pass over a generation ─┬─▶ features that are kept ──┐
//!            (one runs at a time)                   └─▶ pipeline: pixels, model ─┴─▶ classifier ─▶ rows ─▶ index
//! OpenLabelling, LabelFeatures ─▶ brought: features that a client brings ────────────▲
//! ```
//!
//! Invariants: a row says of which version of the photo it is, and by which labeller; a sample of a version that a
//! labeller has labelled is not labelled again; a job goes on after a restart of the server, because what it has done
//! is in the index and what it is to do is a record there. Photos do not leave the node.

mod failing;
mod gathered;
mod job;
mod lacking;
mod record;

mod pass;
mod runs;

mod brought;

mod jobs;

pub(crate) use brought::Brought;
pub(crate) use failing::Failing;
pub(crate) use jobs::LabellingJobs;
