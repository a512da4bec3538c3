//! A folder of Parquet parts: the features and labels of a dataset, each sample exactly once.
//!
//! Each part answers for a range of global indices, and says so in its footer. Where an extraction was stopped, the
//! footer also lists the samples of the range that are still to be extracted. These are missing, and so is every sample
//! for which no part answers. No other file is consulted, so that nothing can disagree with the parts after a crash.
//!
//! [`PartFolder`] is the folder while it is being filled; [`FeatureFolder`] is the folder when it is complete.

mod provenance;
mod sample;

mod part;

mod footer;

mod error;

mod file;

mod assembly;
mod coverage;

mod paths;

mod finished;
mod folder;

pub use assembly::{Assembly, Misdelivery};
pub use coverage::{Missing, PartTask, Present, RetryFailed, tasks};
pub use error::{FolderError, FooterError, PartError};
pub use file::read;
pub use finished::{FeatureFolder, FeatureStream};
pub use folder::{Contents, PartFolder};
pub use part::{FailedSample, FeatureRow, Part};
pub use paths::part_paths;
pub use provenance::FeatureProvenance;
pub use sample::FeatureSample;
