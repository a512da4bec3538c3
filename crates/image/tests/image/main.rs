//! What `headwater-image` promises, one file per promise.
#![expect(clippy::unwrap_used, clippy::panic, reason = "what surprises a test's helper ends the test")]

mod coded;
mod corpus;
mod cuts;
mod data;
mod decoders;
mod heap;
mod hostile;
mod indexed;
mod mutated;
mod orientation;
mod pillow;
mod support;
