//! How much of a run a page shows.

/// Points of a line: one for every fourth pixel.
pub(super) const POINTS: usize = 160;
/// Workers of a run.
pub(super) const SHOWN_WORKERS: usize = 32;
/// Of what happened to the workers of a run; all is counted.
pub(super) const SHOWN_CHANGES: usize = 40;
/// Most runs of a page: more lines than that nobody can tell apart.
pub const MOST_RUNS: usize = 32;
