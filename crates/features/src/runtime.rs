//! The ONNX Runtime library: found, loaded, and loaded once.
//!
//! It is looked for in this order, and the first place that is named explicitly is the only one that counts:
//! the flag, `ORT_DYLIB_PATH`, beside the executable, where `scripts/install` puts it (`../lib/headwater`, from the executable), then
//! the virtual environment `.venv` of the working directory and of each folder above the executable.
//!
//! A process has one ONNX Runtime: loading it again gives the same one, and another library is refused.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ort::LoadDynamicError;
use ort::logging::LogLevel;
use tracing::subscriber::{NoSubscriber, with_default};

/// The environment variable that names the library.
pub const LIBRARY_VARIABLE: &str = "ORT_DYLIB_PATH";

/// A loaded ONNX Runtime.
pub struct Runtime {
    pub(crate) environment: ort::environment::Environment,
    library: PathBuf,
}

/// Why there is no ONNX Runtime.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// No library in any of the places.
    #[error("no ONNX Runtime library was found{}: {FIX}", Looked(looked))]
    NotFound {
        /// The places, and what was wrong with each.
        looked: Vec<(PathBuf, String)>,
    },
    /// A library older than the interface that is used here.
    #[error("{} is ONNX Runtime {version}, and 1.{} or later is needed: {FIX}", library.display(), ort::MINOR_VERSION)]
    TooOld {
        /// The library.
        library: PathBuf,
        /// Its version.
        version: String,
    },
    /// A library that was named and cannot be loaded.
    #[error("{} cannot be loaded as ONNX Runtime: {reason}: {FIX}", library.display())]
    Broken {
        /// The library.
        library: PathBuf,
        /// Why.
        reason: String,
    },
    /// Another library was loaded before.
    #[error("{} cannot be loaded: this process runs on {} already", wanted.display(), loaded.display())]
    AlreadyLoaded {
        /// What was asked for.
        wanted: PathBuf,
        /// What is loaded.
        loaded: PathBuf,
    },
}

const FIX: &str = "`pip install onnxruntime==1.31.1`, and name its capi/libonnxruntime.so.1.31.1 with --onnxruntime or \
                   ORT_DYLIB_PATH, or install it into .venv; scripts/install puts it where installed programs find it";

/// Where an installed library lies, below the folder that has the programs in its `bin`: the two may be moved together.
const INSTALLED: &str = "lib/headwater";

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

    fn search(places: &[PathBuf]) -> Result<Self, RuntimeError> {
        let mut looked = Vec::new();
        for place in places {
            let libraries = libraries_in(place);
            if libraries.is_empty() {
                looked.push((place.clone(), "not there".to_owned()));
            }
            for library in libraries {
                match Self::open(library.clone()) {
                    Ok(runtime) => return Ok(runtime),
                    Err(RuntimeError::TooOld { version, .. }) => looked.push((library, format!("too old: {version}"))),
                    Err(error) => looked.push((library, error.to_string())),
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
        // `ort` notes at each start that the library is newer than the interface which is used (1.24). That is no news: a library
        // gives out every older interface as it was, and one that is too old is an error. What goes wrong is returned, not logged.
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

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Runtime({})", self.library.display())
    }
}

struct Looked<'a>(&'a [(PathBuf, String)]);

impl fmt::Display for Looked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = " in ";
        for (place, problem) in self.0 {
            write!(f, "{separator}{} ({problem})", place.display())?;
            separator = ", ";
        }
        Ok(())
    }
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The folders in which the library may lie, best first. `.venv` stands for the `capi` folder of the packages in it.
fn places() -> Vec<PathBuf> {
    let executable = std::env::current_exe().ok().map(|path| canonical(&path));
    places_of(executable.as_deref(), std::env::current_dir().ok().as_deref())
}

fn places_of(executable: Option<&Path>, working: Option<&Path>) -> Vec<PathBuf> {
    let bin = executable.and_then(Path::parent);
    let installed = bin.and_then(Path::parent).map(|prefix| prefix.join(INSTALLED));
    let near = bin.map(Path::to_owned).into_iter().chain(installed);
    let above = executable.into_iter().flat_map(|path| path.ancestors().skip(1)).map(|folder| folder.join(".venv"));
    let here = working.map(|folder| folder.join(".venv"));
    let mut places: Vec<PathBuf> = Vec::new();
    for place in near.chain(here).chain(above) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

/// The libraries in a place, those with the shortest name first: it is a link to the newest where there is one.
fn libraries_in(place: &Path) -> Vec<PathBuf> {
    let children = |folder: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let folders = if place.ends_with(".venv") {
        let pythons = children(&place.join("lib"));
        pythons.iter().map(|python| python.join("site-packages/onnxruntime/capi")).collect()
    } else {
        vec![place.to_owned()]
    };
    let mut libraries: Vec<_> =
        folders.iter().flat_map(|folder| children(folder)).filter(|file| is_library(file)).collect();
    libraries.sort_by_key(|library| (library.as_os_str().len(), library.clone()));
    libraries
}

fn is_library(file: &Path) -> bool {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with("libonnxruntime.") && (name.contains(".so") || name.ends_with(".dylib"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_found_beside_and_in_a_virtual_environment() {
        let folder = tempfile::tempdir().unwrap();
        let capi = folder.path().join(".venv/lib/python3.11/site-packages/onnxruntime/capi");
        std::fs::create_dir_all(&capi).unwrap();
        for name in ["libonnxruntime.so.1.31.1", "libonnxruntime_providers_shared.so", "__init__.py"] {
            std::fs::write(capi.join(name), "").unwrap();
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(libraries_in(&folder.path().join(".venv")), [capi.join("libonnxruntime.so.1.31.1")]);
        assert_eq!(libraries_in(folder.path()), [folder.path().join("libonnxruntime.so.1.31.1")]);
        assert!(libraries_in(&folder.path().join("nowhere")).is_empty());
    }

    #[test]
    fn an_installed_library_is_found_from_where_the_programs_are() {
        let places = places_of(Some(Path::new("/opt/headwater/bin/tuner")), Some(Path::new("/home/user")));
        let first: Vec<_> = places.iter().take(4).map(|place| place.display().to_string()).collect();
        assert_eq!(
            first,
            ["/opt/headwater/bin", "/opt/headwater/lib/headwater", "/home/user/.venv", "/opt/headwater/bin/.venv"]
        );
        assert_eq!(places_of(None, None), [] as [PathBuf; 0]);
    }

    #[test]
    fn a_search_that_fails_lists_the_places_and_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("libonnxruntime.so"), "not a library").unwrap();
        let missing = folder.path().join("nowhere");
        let error = Runtime::search(&[folder.path().to_owned(), missing.clone()]).unwrap_err().to_string();
        assert!(error.contains("libonnxruntime.so ("), "{error}");
        assert!(error.contains(&format!("{} (not there)", missing.display())), "{error}");
        assert!(error.contains("pip install onnxruntime==1.31.1"), "{error}");
    }

    #[test]
    fn a_library_that_is_named_and_missing_is_an_error() {
        let error = Runtime::open("/nonexistent/libonnxruntime.so".into()).unwrap_err().to_string();
        assert!(error.starts_with("/nonexistent/libonnxruntime.so cannot be loaded"), "{error}");
    }
}
