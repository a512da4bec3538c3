//! How much memory deltas take, hostile ones too. These tests are a program of their own, and run one at a time, since
//! its allocator counts what all threads hold. What Zstandard takes is not counted.

#[cfg(test)]
mod bounded;
#[cfg(test)]
mod heap;
#[cfg(test)]
mod mutated;
#[cfg(test)]
#[path = "../delta/support.rs"]
#[expect(dead_code, reason = "the other tests use the rest")]
mod support;
