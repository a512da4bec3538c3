//! What models said of the photos of a storage node: rows in blocks, kept in one file that a crash does not break, and
//! asked in memory.

mod labeller;
mod place;
mod row;
mod run;

mod error;

mod index;

mod standing;

pub use error::{LabelError, MovedAside};
pub use index::{LabelIndex, Opened, Read};
pub use labeller::Labeller;
pub use place::Place;
pub use row::{Outcome, Row, RowFault};
pub use run::{Run, RunId};
pub use standing::{Best, Changed, Changes, Found, Order, Standing};
