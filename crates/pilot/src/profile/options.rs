//! How a dataset is profiled: at which ways, how many samples, and for how long.

use std::time::Duration;

use headwater_types::{Address, Way};

/// How a dataset is profiled.
#[derive(Clone, Debug)]
pub struct ProfileOptions {
    /// The ways that are measured, in order, `encoded` first: see [`ways_between`](crate::ways_between).
    pub ways: Vec<Way>,
    /// How many samples are measured.
    pub samples: Samples,
    /// Times that each sample is measured at each way. The median counts.
    pub repeats: usize,
    /// Time that the profile may take in all. The first samples of each way are measured in any case: without them
    /// there is no profile.
    pub budget: Option<Duration>,
    /// The address of the crops' randomness.
    pub address: Address,
}

/// How many samples are measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Samples {
    /// As many samples at each way as it takes to know totals this precisely, with 95 % confidence: bytes within this
    /// part of the way's bytes (0.02 is 2 %), and CPU seconds within this part of what ways take on average. There are
    /// never more samples than take some minutes.
    Within(f64),
    /// This number of samples at each way.
    Count(u64),
    /// All samples of the dataset, at each way.
    All,
}

/// Samples that are measured first at each way, to see how many more it takes, and how long each takes.
pub(crate) const FIRST_SAMPLES: usize = 32;
