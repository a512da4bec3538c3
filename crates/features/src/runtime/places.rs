//! Where an ONNX Runtime library may lie.

use std::path::{Path, PathBuf};

/// The folder of an installed library, below the folder that has the programs in its `bin`. The two may be moved
/// together.
const INSTALLED: &str = "lib/headwater";

/// The folders in which the library may lie, best first. `.venv` stands for the `capi` folder of the packages in it.
pub(super) fn places() -> Vec<PathBuf> {
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

/// The libraries in a place, the shortest name first. Where there is a link to the newest library, it has the shortest
/// name.
pub(super) fn libraries_in(place: &Path) -> Vec<PathBuf> {
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

/// A path without links; as it is, where it leads nowhere.
pub(super) fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
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
}
