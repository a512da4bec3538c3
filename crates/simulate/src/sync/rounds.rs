//! Rounds as they went.

use headwater_plan::sync::Micros;

/// The steps of each round by worker, each round's end, and the part of the workers' time that is spent in steps.
pub(super) type Rounds = (Vec<Vec<u32>>, Vec<Micros>, f64);
