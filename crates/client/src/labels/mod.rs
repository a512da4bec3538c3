//! Labels that models give to samples: having servers make them, and asking for them.

mod ask;
mod control;
mod relabel;

pub use ask::{AskedLabels, ask_labels, count_labels};
pub use control::{ServerLabellings, control_labelling, labellings};
pub use relabel::relabel;
