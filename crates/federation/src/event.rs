//! What the coordinator hears of its workers, and what it tells them.

use std::sync::Arc;
use std::time::Instant;

use headwater_client::training_calls::{BeginTraining, PreparedFeatures, TrainingBegun};
use headwater_client::{Came, Order};

/// What the coordinator hears of a worker.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) worker: usize,
    /// Which of its lives: it has a new one each time that it has prepared anew.
    pub(crate) life: u64,
    pub(crate) at: Instant,
    pub(crate) what: What,
}

/// What is heard.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// Samples whose features it has, of how many.
    Preparing(u64, u64),
    /// It has prepared.
    Prepared(Box<PreparedFeatures>),
    /// It can take steps.
    Begun(TrainingBegun),
    /// Steps have led somewhere.
    Came(Box<Came>),
    /// It does not answer, or has lost what it had.
    Away(String),
    /// It will not, whatever it is asked.
    Refused(String),
}

/// What a worker is told. What is told to an earlier life of a worker is not heard by a later one.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) life: u64,
    pub(crate) what: Told,
}

/// What is told.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    /// By what to train.
    Begin(Arc<BeginTraining>),
    /// Steps to take.
    Train(Order),
}
