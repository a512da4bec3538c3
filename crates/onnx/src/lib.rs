//! The ONNX file format: read with what lies beside it, checked before it is loaded, cut down to what is needed, cut in
//! two, written for heads, joined end to end.
//!
//! Invariant: these are pure functions from bytes to bytes, but for [`mod@file`], which reads a disk. A file is read
//! where it lies, and never trusted: every length is checked against the bytes that are there, and nesting and counts
//! against [`Limits`]. Memory is a small multiple of the parts that are kept, whatever a file claims. Unknown fields
//! are carried over as they are, so that a model loses nothing by being joined. Nothing here runs a model.
//!
//! Why not generated code? A message of `prost` drops fields that its schema lacks, copies every weight, and turns a
//! repeated empty node of 2 bytes into a structure of 200: a hostile file of 2 GiB would ask for 200. ONNX needs one
//! table of field numbers (`schema`) and one reader of protobuf's wire format (`wire`), both short.

mod schema;
mod wire;

pub mod error;
pub mod limits;
pub mod value;

mod walk;

mod opset;

pub mod external;
pub mod file;

pub mod check;
pub mod graph;
pub mod input;
pub mod layout;
pub mod places;
pub mod prune;
pub mod stated;
pub mod tail;

pub mod cuts;
pub mod split;

mod rename;

pub mod adapt;
pub mod head;
pub mod join;

mod grey;

pub use adapt::{Step, adapt};
pub use check::{ModelFacts, check};
pub use cuts::{Cut, Cuts, Network};
pub use error::OnnxError;
pub use graph::GraphBuilder;
pub use grey::grey;
pub use head::{Dense, Head};
pub use input::{InputElement, InputSettings};
pub use join::join;
pub use layout::{Layout, layout};
pub use limits::Limits;
pub use places::{TensorPlace, places};
pub use prune::prune;
pub use split::{Split, expose, front, split, split_read};
pub use stated::stated;
pub use tail::tail;
pub use value::{Dim, ElementType, ValueFacts};
