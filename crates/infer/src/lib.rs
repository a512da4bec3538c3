//! Features made on the client's side. Samples that travel as pixels are finished and inferred here, by the code and
//! the model's file that the servers have; samples that come from the front of a cut network are taken on from there.
//!
//! Invariants: the model's file is the one that the servers have registered, or it is not opened; what waits for a
//! thread is bounded; a sample that fails is a value beside the others.
//!
//! It is a crate of its own, so that programs that need only tensors do not carry ONNX Runtime.

mod error;

mod file;
mod local;

mod back;

pub use back::LocalBack;
pub use error::LocalError;
pub use headwater_features::{Devices, Precision};
pub use local::{LocalExtractor, LocalOptions, features_of};
