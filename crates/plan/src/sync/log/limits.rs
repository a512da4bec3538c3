//! What a log may have at most.

/// Most bytes of a log, which is read whole: 150,000 rounds of six workers have so many.
pub const MOST_BYTES: u64 = 256 << 20;
/// Most bytes of a line: a round of 4,096 workers has a million.
pub const MOST_LINE_BYTES: usize = 8 << 20;
/// Most workers of a run, as of the simulator.
pub const MOST_WORKERS: usize = 4096;
