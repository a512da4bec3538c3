//! Labels that models give to samples: having them made, and asking for them.

mod ask;
mod brought;
mod control;
mod labelling;
mod opened;
mod relabel;
mod rows;
mod source;

pub use ask::{AskLabels, CountLabels, LabellerChoice, Question};
pub use brought::{BroughtFeatures, FailedFeature};
pub use control::{ControlLabelling, LabellingCommand};
pub use labelling::{FailuresOfKind, Labelling, LabellingState};
pub use opened::{FeaturesOf, LabellerDigests, OpenLabelling, OpenedLabelling};
pub use relabel::{Relabel, SHARE_PERCENT, TOP_K};
pub use rows::LabelledSample;
pub use source::LabelSource;
