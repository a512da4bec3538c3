//! What one call works with: what all datasets share, and one generation of one dataset.

use std::sync::Arc;

use headwater_types::JobName;

use crate::generation::Generation;
use crate::house::House;
use crate::metrics::SampleMetrics;
use crate::served::Served;

/// A generation of a dataset, and what calls about it draw from. It lives as long as the last call that has it.
#[derive(Clone)]
pub(crate) struct Offer {
    pub(crate) house: Arc<House>,
    pub(crate) served: Arc<Served>,
    pub(crate) generation: Arc<Generation>,
    /// Counts the dataset's samples.
    pub(crate) counts: SampleMetrics,
    /// The training job that reads, where the call names one.
    pub(crate) job: Option<JobName>,
}
