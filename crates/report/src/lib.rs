//! Pages: HTML with plots inside, which loads nothing. One is about a profile and the plan that is made from it, one
//! about the size of a cache ([`Curves`]), one about runs of training ([`TrainingPage`]).
//!
//! In the order in which the first is made: a [`Sweeper`] plans over ranges of bandwidth and cores; plots are drawn of
//! what it found; a [`Page`] holds the plots, and the numbers beside them.
//!
//! Never here: files, arguments and bars (`headwater-measure`).

mod number;

mod chart;

mod sweep;

mod available;

mod epochs;
mod modes;
mod waits;
mod ways;

mod html;

mod curves;
mod page;

mod sync;

pub use available::Available;
pub use curves::{Curves, Line};
pub use page::Page;
pub use sweep::{Regions, Sweep, Sweeper};
pub use sync::{Common, MOST_RUNS, TrainingPage, TrainingRun};
