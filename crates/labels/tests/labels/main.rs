//! An index of labels, as those see it who use it: killed, it has all that it has acknowledged, and nothing wrong.

#![expect(clippy::unwrap_used, reason = "a test that panics has said what it found")]

mod kills;
