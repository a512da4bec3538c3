//! Features from pixels: ONNX Runtime sessions, devices and dynamic batching. The only crate that knows `ort`.
//!
//! Invariants: a device that was asked for is the device that runs, or the start fails; a model is checked before the
//! runtime sees it; a sample that fails never fails the others of its batch; every queue is bounded, and a
//! caller that finds it full waits.
//!
//! ```text
//! place() -> extract() --- queue ---> worker: take a batch -> finish each sample into its row -> run -> answer each
//! (waits while there is none)        worker: ...              one session each, sharing nothing
//! ```

pub mod device;
pub mod devices;
pub mod precision;
pub mod spec;

pub mod error;
pub mod options;

pub mod runtime;

mod builtin;
mod input;
mod model;

mod driver;
mod engines;
mod provider;
mod rows;
mod session;

pub mod back;
pub mod part;
pub mod row;

mod job;
mod queue;

mod counts;
mod worker;
mod workers;

mod batch_size;
mod opening;
mod pace;

pub mod extractor;

pub mod classifier;

pub use back::Back;
pub use builtin::{UnknownBuiltin, builtin};
pub use classifier::{Classifier, ClassifierError, HeadSpec, Labels};
pub use counts::InferenceCounts;
pub use device::{Device, Gpu};
pub use devices::{Devices, DevicesError};
pub use error::ModelError;
pub use extractor::{Extractor, Place};
pub use headwater_onnx::InputSettings;
pub use job::{Extracted, Unfinished};
pub use model::{check_model, read_file, read_model};
pub use options::ExtractorOptions;
pub use part::{Elements, Part, PartError, PartTensor};
pub use precision::{Precision, PrecisionError};
pub use row::{decode_row, encode_row};
pub use runtime::{Runtime, RuntimeError};
pub use spec::{ModelSpec, ModelSpecError};
