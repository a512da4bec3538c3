//! Pictures, hostile files and ONNX models made on the spot, for tests, demos and benchmarks.
//!
//! Everything made here is a function of its arguments: the same seed gives the same bytes (within one version of the
//! JPEG library), so that no picture needs to be kept in the repository. What is real, and what cannot be made, is
//! looked for in [`places`].
//!
//! Never used by a program that ships.

mod dice;

pub mod encode;
pub mod picture;
pub mod texture;

pub mod photos;

pub mod authority;
pub mod extractor;
pub mod hostile;
pub mod identity;

pub mod places;

pub use authority::{Authority, Issued};
pub use encode::Encoding;
pub use extractor::Extractor;
pub use hostile::{Expectation, HostileFile};
pub use photos::{DrawnPhoto, PhotoSet};
pub use picture::Picture;
pub use places::{onnxruntime_library, python, shared_data};
pub use texture::Texture;
