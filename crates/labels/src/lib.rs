//! What models said of the photos of a storage node: rows in blocks, kept in one file that a crash does not break, and
//! asked in memory.
//!
//! ```text
//! row ─▶ block: columns, packed, under a checksum ─▶ redb, one file ─▶ Standing: 13 bytes a sample ─▶ answers
//! ```
//!
//! Invariants: a row that is shown is one that was appended, of this key, version and run, to the bit, or it is absent:
//! never a wrong label, whatever was torn, flipped or lost. What a call has written is durable when it returns. All of
//! it can be derived again from the photos: an index that is broken is moved aside, said, and begun anew.
//!
//! It never looks at a photo, a model or a clock.

mod labeller;
mod place;
mod row;
mod run;

mod error;

mod seal;

mod dead;
mod outcome_code;
mod planes;
mod record;
mod tail;

mod block;
mod probe;

mod fault;
mod folder;
mod tables;
mod watched;

mod database;

mod index;

mod standing;

#[cfg(test)]
mod disk;
#[cfg(test)]
mod samples;

pub use block::BlockError;
pub use error::{LabelError, MovedAside};
pub use index::{LabelIndex, Opened, Read};
pub use labeller::Labeller;
pub use place::Place;
pub use probe::{frame_columns, reseal_block};
pub use row::{Outcome, Row, RowFault, Scored};
pub use run::{Run, RunId};
pub use standing::{Best, Changed, Changes, Found, Order, Standing};
