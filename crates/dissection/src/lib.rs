//! What one photo costs at each cut between its file and a network's outputs: bytes as they are and coded without loss,
//! and CPU seconds on both sides of the cut.
//!
//! ```text
//! photo ─▶ pixels: each way of the recipe ─▶ the network's input
//!                                              │
//!          values: the network, run once, gives every value's shape and the activations of all photos
//!                                              │
//!          halves: at each cut, front and back are split, opened and run on one core
//! ```
//!
//! Invariants: what is measured are the bytes and models that would travel and run, and nothing is taken from a table;
//! seconds are CPU time of one thread, so that what else the machine does counts as little as can be; a photo that
//! cannot be read, and a value that cannot be measured, are counted and named, and end nothing.

mod error;
mod photos;

mod stopwatch;

mod pixels;
mod values;

mod halves;

mod dissect;

pub use dissect::{Dissection, Dissector};
pub use error::DissectionError;
pub use photos::{Origin, Photos};
