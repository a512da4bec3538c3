//! Features made on the client's side: samples that a plan has come as pixels are finished and inferred here, by the code and the
//! model's file that the servers have.
//!
//! Invariant: the file is the one that is registered at the servers, or it is not opened; what waits for a thread is bounded, and a
//! sample that fails is a value beside the others.
//!
//! A crate of its own, between who fetches and who measures, so that both have it and who wants only tensors does not carry ONNX
//! Runtime.

mod error;

mod file;
mod local;

pub use error::LocalError;
pub use local::{LocalExtractor, features_of};
