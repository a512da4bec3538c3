//! The server under strain: hostile and unlucky situations, each tried against the programs as they are built, with
//! figures and the limits that they have to keep.
//!
//! A [`Situation`] starts a server, brings on whom it has to withstand (readers that stopped, silent sockets), and
//! gives [`Figure`]s. `scripts/torture server` runs them in full and prints a table; with `--small` in a form in which
//! no time is judged: the cores of a test machine belong to others too.

mod crowd;
mod cut;
mod dial;
mod figure;
mod honest;
mod made_up;
mod memory;
mod photos;
mod readers;
mod situation;
mod stage;
mod stopped;
mod subject;
mod table;
mod timed;

pub use cut::Cut;
pub use figure::Figure;
pub use situation::{SITUATIONS, SOURCES, Situation, find};
pub use stage::{Form, Stage};
pub use table::{Tried, json, table};
