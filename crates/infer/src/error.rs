//! Why features cannot be made here.

use std::io;
use std::path::PathBuf;

use headwater_features::{ModelError, RuntimeError};
use headwater_types::{Digest, ModelName, NetworkCut};

/// Why features cannot be made here: found at the start.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The file is of another model than the servers have.
    #[error(
        "--extractor: {} has the digest {actual}, and the model {model} of the servers has {expected}: give the file \
         that they have registered",
        path.display()
    )]
    OtherFile {
        /// The file.
        path: PathBuf,
        /// The file's digest.
        actual: Digest,
        /// The model's name at the servers.
        model: ModelName,
        /// The digest that the servers announce.
        expected: Digest,
    },
    /// There is no ONNX Runtime.
    #[error("--extractor: {0}")]
    Runtime(#[from] RuntimeError),
    /// The model cannot be read or run.
    #[error("--extractor: {0}")]
    Model(#[from] ModelError),
    /// The network cannot be cut there, or its back cannot be run.
    #[error("the network cannot be split at {cut} (profiler model lists the cuts): {source}")]
    Cut {
        /// The tensors.
        cut: NetworkCut,
        /// What is wrong.
        source: ModelError,
    },
    /// Threads cannot be started.
    #[error("cannot start the threads that finish recipes: {0}")]
    Threads(io::Error),
    /// A fault of this program.
    #[error("opening the model ended before its work: please report it ({0})")]
    Internal(#[from] tokio::task::JoinError),
}
