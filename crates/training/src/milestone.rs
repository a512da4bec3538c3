//! What happens while a head is trained.

use std::sync::Arc;

use headwater_learn::Metrics;

/// Something that has just happened.
#[derive(Clone, Debug)]
pub enum Milestone {
    /// One more sample came, with its feature or without.
    SampleCame,
    /// Every run was extracted.
    AllExtracted,
    /// An epoch of training ended, with these metrics on the validation samples; `None` where there are none.
    EpochEnded(Option<Metrics>),
    /// This many runs were trained on.
    RunsTrained(u32),
}

/// Hears of each milestone, on whichever thread reaches it.
pub type Listener = Arc<dyn Fn(Milestone) + Send + Sync>;
