//! Where an ONNX Runtime library may lie.

use std::fmt;
use std::path::{Path, PathBuf};

/// The folder of an installed library, below the folder that has the programs in its `bin`. The two may be moved
/// together.
const INSTALLED: &str = "lib/headwater";

/// A virtual environment of a working directory, or of a folder above the programs.
const VENV: &str = ".venv";

/// The folders of an environment that have its Pythons, each with packages of its own.
const LIBRARIES: [&str; 2] = ["lib", "lib64"];

/// What an environment calls its packages; Debian calls those of the system so.
const PACKAGES: [&str; 2] = ["site-packages", "dist-packages"];

/// A place in which a library may lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The folder itself.
    Folder(PathBuf),
    /// The packages of Python below this prefix: a virtual environment, a user's or the system's own.
    Environment(PathBuf),
}

/// The places, best first.
pub(super) fn places() -> Vec<Place> {
    let executable = std::env::current_exe().ok().map(|path| canonical(&path));
    places_of(executable.as_deref(), std::env::current_dir().ok().as_deref())
}

fn places_of(executable: Option<&Path>, working: Option<&Path>) -> Vec<Place> {
    let bin = executable.and_then(Path::parent);
    let prefix = bin.and_then(Path::parent);
    let near = [
        bin.map(|bin| Place::Folder(bin.to_owned())),
        prefix.map(|prefix| Place::Folder(prefix.join(INSTALLED))),
        // `pip install` puts programs into the `bin` of the environment whose packages these are.
        prefix.map(|prefix| Place::Environment(prefix.to_owned())),
    ];
    let above = executable.into_iter().flat_map(|path| path.ancestors().skip(1));
    let venvs = working.into_iter().chain(above).map(|folder| Place::Environment(folder.join(VENV)));
    let mut places: Vec<Place> = Vec::new();
    for place in near.into_iter().flatten().chain(venvs) {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

// === impl Place ===

impl Place {
    /// The libraries here, the shortest name first. Where there is a link to the newest library, it has the shortest
    /// name.
    pub(super) fn libraries(&self) -> Vec<PathBuf> {
        let folders = match self {
            Self::Folder(folder) => vec![folder.clone()],
            Self::Environment(prefix) => packages_of(prefix),
        };
        let mut libraries: Vec<_> =
            folders.iter().flat_map(|folder| children(folder)).filter(|file| is_library(file)).collect();
        libraries.sort_by_key(|library| (library.as_os_str().len(), library.clone()));
        libraries
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Environment(prefix) => write!(f, "the Python packages below {}", prefix.display()),
        }
    }
}

/// The folders in which PyPI's `onnxruntime` has its library, in the packages of each Python below a prefix.
fn packages_of(prefix: &Path) -> Vec<PathBuf> {
    let pythons = LIBRARIES.iter().flat_map(|library| children(&prefix.join(library)));
    let pythons = pythons.filter(|folder| name(folder).starts_with("python"));
    pythons.flat_map(|python| PACKAGES.map(|packages| python.join(packages).join("onnxruntime/capi"))).collect()
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

fn is_library(file: &Path) -> bool {
    let name = name(file);
    name.starts_with("libonnxruntime.") && (name.contains(".so") || name.ends_with(".dylib"))
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// A path without links; as it is, where it leads nowhere.
pub(super) fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [&str; 3] = ["libonnxruntime.so.1.31.1", "libonnxruntime_providers_shared.so", "__init__.py"];

    fn filled(folder: &Path) -> PathBuf {
        std::fs::create_dir_all(folder).unwrap();
        for name in FILES {
            std::fs::write(folder.join(name), "").unwrap();
        }
        folder.join(FILES[0])
    }

    #[test]
    fn a_library_is_found_in_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let library = filled(folder.path());
        assert_eq!(Place::Folder(folder.path().to_owned()).libraries(), [library]);
        assert!(Place::Folder(folder.path().join("nowhere")).libraries().is_empty());
    }

    #[test]
    fn a_library_is_found_in_the_packages_of_every_kind_of_environment() {
        for packages in
            ["lib/python3.11/site-packages", "lib64/python3.12/site-packages", "lib/python3.11/dist-packages"]
        {
            let prefix = tempfile::tempdir().unwrap();
            let library = filled(&prefix.path().join(packages).join("onnxruntime/capi"));
            assert_eq!(Place::Environment(prefix.path().to_owned()).libraries(), [library]);
            assert!(Place::Folder(prefix.path().to_owned()).libraries().is_empty());
        }
        let prefix = tempfile::tempdir().unwrap();
        filled(&prefix.path().join("lib/perl5/site-packages/onnxruntime/capi"));
        assert!(Place::Environment(prefix.path().to_owned()).libraries().is_empty());
    }

    #[test]
    fn a_library_is_looked_for_where_the_programs_are_first() {
        let places = places_of(Some(Path::new("/opt/headwater/bin/tuner")), Some(Path::new("/home/user")));
        assert_eq!(
            places[..5],
            [
                Place::Folder("/opt/headwater/bin".into()),
                Place::Folder("/opt/headwater/lib/headwater".into()),
                Place::Environment("/opt/headwater".into()),
                Place::Environment("/home/user/.venv".into()),
                Place::Environment("/opt/headwater/bin/.venv".into()),
            ]
        );
        assert_eq!(places_of(None, None), []);
    }
}
