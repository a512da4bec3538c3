//! Labels that models give to samples: having them made, and asking for them.

mod ask;
mod control;
mod labelling;
mod relabel;
mod rows;
mod source;

pub use ask::{AskLabels, CountLabels, LabellerChoice, Question};
pub use control::{ControlLabelling, LabellingCommand};
pub use labelling::{FailuresOfKind, Labelling, LabellingState};
pub use relabel::{Relabel, TOP_K};
pub use rows::LabelledSample;
pub use source::LabelSource;
