//! Fields: what a dataset says of each sample beside its label, such as a caption, a score or a list of targets.
//!
//! ```text
//! Fields: the names and kinds, once for a dataset        caption: text, score: number
//! record: the values of one sample, in step with them    "a cat"        0.5
//! ```
//!
//! Invariant: a value is of its field's kind or absent, and a record has a value for each field and at most
//! [`crate::caps::MAX_RECORD_BYTES`].

mod kind;
mod named;
mod record;
mod value;

pub use kind::{FieldKind, FieldKindError};
pub use named::{Field, FieldError, Fields};
pub use record::{Record, RecordError};
pub use value::FieldValue;
