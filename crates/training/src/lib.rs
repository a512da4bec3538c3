//! A head that is trained on the features of a dataset, run by run, and saved.
//!
//! In the order in which data passes: a [`FeatureSource`] gives the features of one run after the other; each run is
//! gathered while the run before it is trained on ([`train`]); a [`HeadFile`] takes the head at the end. Each run is
//! trained on together with the earlier runs, so that they are not forgotten. Which samples are kept to judge the head
//! by is decided by a hash of their keys, so that a sample is on the same side in every run and every start.
//!
//! Invariant: the same seed on the same features gives the same head, however fast they come.
//!
//! Never here: arguments, bars and summaries (`headwater-tune`), and how a step is computed (`headwater-learn`).

mod error;

mod milestone;
mod options;
mod source;
mod span;

mod gathered;
mod learner;

mod overlap;
mod save;

#[cfg(test)]
mod tests;

pub use error::{SaveError, TrainingError};
pub use learner::{ImageCounts, Trained, TrainedRun};
pub use milestone::{Listener, Milestone};
pub use options::TrainingOptions;
pub use overlap::train;
pub use save::{HeadFile, JoinedFile, Saved, SavedModel};
pub use source::FeatureSource;
pub use span::Span;
