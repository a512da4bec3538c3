//! The ONNX Runtime library: found, loaded, and loaded once.
//!
//! A library that is named, by the flag or else by `ORT_DYLIB_PATH`, is the only one that counts. Without a name it is
//! searched in this order: beside the executable; where `scripts/install` and the Debian package put it
//! (`../lib/headwater`, from the executable); in the packages of the Python environment that has the executable in its
//! `bin` (`pip install 'headwater[onnx]'`); in the virtual environment `.venv` of the working directory, and in those
//! of each folder above the executable.
//!
//! A process has one ONNX Runtime: loading it again gives the same one, and another library is refused.

mod error;
mod places;

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ort::LoadDynamicError;
use ort::logging::LogLevel;
use tracing::subscriber::{NoSubscriber, with_default};

pub use error::RuntimeError;

use places::{Place, canonical, places};

/// The environment variable that names the library.
pub const LIBRARY_VARIABLE: &str = "ORT_DYLIB_PATH";

/// A loaded ONNX Runtime.
pub struct Runtime {
    pub(crate) environment: ort::environment::Environment,
    library: PathBuf,
}

/// Holds the runtime for the rest of the process: ONNX Runtime cannot be unloaded and loaded again.
static LOADED: Mutex<Option<Arc<Runtime>>> = Mutex::new(None);

// === impl Runtime ===

impl Runtime {
    /// Finds and loads the library; `library` is the flag.
    pub fn load(library: Option<&Path>) -> Result<Arc<Self>, RuntimeError> {
        let named = library
            .map(Path::to_owned)
            .or_else(|| std::env::var_os(LIBRARY_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from));
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*loaded {
            return match named {
                Some(wanted) if canonical(&wanted) != canonical(&runtime.library) => {
                    Err(RuntimeError::AlreadyLoaded { wanted, loaded: runtime.library.clone() })
                }
                _ => Ok(runtime.clone()),
            };
        }
        let runtime = Arc::new(match named {
            Some(library) => Self::open(library)?,
            None => Self::search(&places())?,
        });
        tracing::info!(library = %runtime.library.display(), build = ort::info(), "loaded ONNX Runtime");
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    /// The library's file.
    pub fn library(&self) -> &Path {
        &self.library
    }

    /// The library's own words of which build it is.
    pub(crate) fn build(&self) -> &'static str {
        ort::info()
    }

    fn search(places: &[Place]) -> Result<Self, RuntimeError> {
        let mut looked = Vec::new();
        for place in places {
            let libraries = place.libraries();
            if libraries.is_empty() {
                looked.push((place.to_string(), "not there".to_owned()));
            }
            for library in libraries {
                match Self::open(library.clone()) {
                    Ok(runtime) => return Ok(runtime),
                    Err(RuntimeError::TooOld { version, .. }) => {
                        looked.push((shown(&library), format!("too old: {version}")));
                    }
                    Err(error) => looked.push((shown(&library), error.to_string())),
                }
            }
        }
        Err(RuntimeError::NotFound { looked })
    }

    fn open(library: PathBuf) -> Result<Self, RuntimeError> {
        let broken = |reason: String| RuntimeError::Broken { library: library.clone(), reason };
        // A file that is not there would be looked for on the system's library path: not what was asked for.
        if !library.is_file() {
            return Err(broken("there is no such file".to_owned()));
        }
        // `ort` logs at each start that the library is newer than the interface which is used (1.24). That is no fault:
        // a library keeps every older interface, and a library that is too old is an error. Errors are returned and
        // need no log.
        let init = || ort::init_from(canonical(&library));
        let builder = with_default(NoSubscriber::default(), init).map_err(|error| match error {
            LoadDynamicError::BadVersion { version_str, .. } => {
                RuntimeError::TooOld { library: library.clone(), version: version_str }
            }
            // What the system's loader says is one level down.
            LoadDynamicError::Dlopen { error, .. } => {
                broken(error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}")))
            }
            error => broken(error.to_string()),
        })?;
        let environment = builder.with_name("headwater").with_telemetry(false).build();
        let environment = environment.map_err(|error| broken(error.to_string()))?;
        environment.set_log_level(LogLevel::Warning);
        Ok(Self { environment, library })
    }
}

/// A path for an error.
fn shown(library: &Path) -> String {
    library.display().to_string()
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Runtime({})", self.library.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_that_fails_lists_the_places_and_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("libonnxruntime.so"), "not a library").unwrap();
        let missing = folder.path().join("nowhere");
        let places = [Place::Folder(folder.path().to_owned()), Place::Environment(missing.clone())];
        let error = Runtime::search(&places).unwrap_err().to_string();
        assert!(error.contains("libonnxruntime.so ("), "{error}");
        assert!(error.contains(&format!("{} (not there)", missing.display())), "{error}");
        assert!(error.contains("pip install 'headwater[onnx]'"), "{error}");
        assert!(error.contains("pip install onnxruntime==1.31.1"), "{error}");
    }

    #[test]
    fn a_library_that_is_named_and_missing_is_an_error() {
        let error = Runtime::open("/nonexistent/libonnxruntime.so".into()).unwrap_err().to_string();
        assert!(error.starts_with("/nonexistent/libonnxruntime.so cannot be loaded"), "{error}");
    }
}
