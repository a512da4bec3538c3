//! Which kind of a sample is worth its bytes: its encoded photo, one that was re-written for cropping, its pixels, its
//! features, or nothing. A multiple-choice knapsack: at most one kind for each sample, within the bytes of the cache.
//!
//! [`Market`] chooses by one value for each kind (seconds saved), and is kept up as samples come. [`split`] chooses for
//! a whole dataset where an epoch waits for the network or for CPU cores, whichever takes longer: as Seneca (FAST'26)
//! does by one division of the cache for all samples, but for each sample by itself.

mod hull;
mod market;
mod split;

pub use hull::Choice;
pub use market::Market;
pub use split::{Cost, Sample, Split, split};
