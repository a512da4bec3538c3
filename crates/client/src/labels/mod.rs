//! Labels that models give to samples: having servers make them, and asking for them.

mod ask;
mod brought;
mod control;
mod relabel;

pub use ask::{AskedLabels, ask_labels, count_labels};
pub use brought::{LackingLabels, label_features, open_labelling};
pub use control::{ServerLabellings, control_labelling, labellings};
pub use relabel::relabel;
