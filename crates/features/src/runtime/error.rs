//! Why there is no ONNX Runtime.

use std::fmt;
use std::path::PathBuf;

/// Why there is no ONNX Runtime.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// No place has a library that can be loaded.
    #[error("no ONNX Runtime library was found{}: {FIX}", Looked(looked))]
    NotFound {
        /// The places, and what was wrong with each.
        looked: Vec<(String, String)>,
    },
    /// The library is older than the interface that is used here.
    #[error("{} is ONNX Runtime {version}, and 1.{} or later is needed: {FIX}", library.display(), ort::MINOR_VERSION)]
    TooOld {
        /// The library.
        library: PathBuf,
        /// The library's version.
        version: String,
    },
    /// The library that was named cannot be loaded.
    #[error("{} cannot be loaded as ONNX Runtime: {reason}: {FIX}", library.display())]
    Broken {
        /// The library.
        library: PathBuf,
        /// What the system's loader or ONNX Runtime says.
        reason: String,
    },
    /// Another library was loaded before.
    #[error("{} cannot be loaded: this process runs on {} already", wanted.display(), loaded.display())]
    AlreadyLoaded {
        /// The library that was asked for.
        wanted: PathBuf,
        /// The library that is loaded.
        loaded: PathBuf,
    },
}

const FIX: &str = "`pip install 'headwater[onnx]'` brings it to programs that came by pip; or `pip install \
                   onnxruntime==1.31.1`, into .venv, or name its capi/libonnxruntime.so.1.31.1 with --onnxruntime or \
                   ORT_DYLIB_PATH; scripts/install and the Debian package bring it along";

/// Where a library was looked for, and what was wrong there.
struct Looked<'a>(&'a [(String, String)]);

impl fmt::Display for Looked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = " in ";
        for (place, problem) in self.0 {
            write!(f, "{separator}{place} ({problem})")?;
            separator = ", ";
        }
        Ok(())
    }
}
