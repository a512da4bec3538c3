//! A cache on a training node, around any dataset of samples with indices: in memory over an SSD, shared by all
//! processes that name the same one.
//!
//! ```text
//!  worker ─▶ Node ─▶ values in /dev/shm ─ hit: open, read, close; no lock
//!  worker ─▶ Node ─┬▶ values on the SSD ─ hit: read, verify, promote
//!  other job ▶ Node└▶ table, locked: a row for each sample ─ who reads it from its origin, what gives way to it
//! ```
//!
//! ```text
//! /dev/shm/headwater-UID-NAME/table         header, counters, rows: see the layout
//!                             members/3     locked for as long as a process lives
//!                             values/4711   one value
//! PATH/owner                                which dataset's values these are, and which table has them
//! PATH/in-use                               locked for as long as a process lives
//! PATH/values/4711                          one value, with its checksum
//! ```
//!
//! Invariants: a value is what was put under its index of this dataset, or absent. A value is in one tier. The bytes of
//! each tier's files never exceed its limit, those that are being written included: room is counted before a file is
//! made, and given back once it is gone. What a dead process left is put right by the next one that finds a cut
//! change, or takes its number, or writes a second later, or asks for the sums.
//!
//! # Why files, and no mapped arena?
//!
//! Values that were mapped and are overwritten change under the hands of whoever still holds them. A file that is
//! removed stays whole for whoever has it open. The kernel keeps the index, nobody takes a lock for a hit, and a limit
//! is the sum of files that can be looked at.

mod error;
mod layout;

mod counters;
mod sample;

mod members;
mod table;
mod values;

mod worth;

mod victims;

mod books;

mod settings;

mod owner;
mod place;
mod tiers;

mod mend;

mod hold;

mod open;

mod flight;
mod put;
mod room;

mod find;
mod say;

pub use counters::NodeCounts;
pub use error::NodeError;
pub use find::{Found, InMemory};
pub use flight::Lead;
pub use hold::{Kept, Node, NodeUsage};
pub use open::remove_orphans;
pub use sample::{MOST_BUFFERS, SAMPLE_HEAD, SampleError, SampleId, SampleLayout, seal};
pub use settings::NodeSettings;

/// Bytes of memory that a cache of so many samples takes for itself.
pub const fn table_bytes(samples: u64) -> u64 {
    layout::table_bytes(samples)
}

#[cfg(test)]
mod tests;
