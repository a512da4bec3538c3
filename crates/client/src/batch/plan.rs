//! How batches are made, and who hears of it.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use headwater_types::{CpuSeconds, Recipe, SampleIndex, Way};

use crate::batch::layout::RowLayout;

/// How batches are made.
#[derive(Clone, Debug)]
pub struct BatchPlan {
    /// The recipe; `None` only for features.
    pub recipe: Option<Arc<Recipe>>,
    /// What rows hold.
    pub layout: RowLayout,
    /// Samples of each batch, in order. Samples past their sum are left unread.
    pub sizes: Vec<usize>,
    /// Batches that may wait for the reader.
    pub ahead: NonZeroUsize,
    /// Hears of each sample.
    pub listener: Option<Arc<dyn Listener>>,
}

/// Hears of samples on the threads that finish them, and must return at once.
pub trait Listener: fmt::Debug + Send + Sync {
    /// A sample has come this way (`None`: it failed), and its row is written. It took so much CPU time at its server,
    /// where the request has `measure_cpu`, and here.
    fn came(&self, index: SampleIndex, way: Option<Way>, storage: CpuSeconds, trainer: CpuSeconds);
}
