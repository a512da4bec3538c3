//! One epoch as a trainer would stream it, measured and held against what was predicted.
//!
//! In the order in which it goes: [`EpochMode`] names how samples travel; [`EpochOptions`] say what is streamed, and
//! what a plan may use; the epoch is prepared, that is profiled and planned where its mode needs that; it is streamed
//! at the pace of an accelerator ([`run`]); [`EpochReport`] says how it went, and is read back by whoever
//! [compares](EpochFile) epochs.
//!
//! Invariant: whatever the mode, the tensors are the same, to the bit.
//!
//! Never here: arguments and bars (`headwater-measure`), what planners decide (`headwater-plan`), and how costs are
//! measured (`headwater-pilot`).

mod error;

mod mode;
mod options;
mod stage;

mod prepared;
mod sketched;

mod measured;
mod pace;
mod stream;

mod comparison;
mod file;
mod report;
mod run;

pub use comparison::{Comparison, PredictedMeasured};
pub use error::{EpochError, EpochFileError};
pub use file::EpochFile;
pub use mode::EpochMode;
pub use options::{EpochOptions, EpochPlan};
pub use report::EpochReport;
pub use run::run;
pub use stage::{EpochStage, StageListener};
