//! Where things are that tests can use but not make: real photos and models, a Python with ONNX Runtime.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The folder of real photos and models: `HEADWATER_TEST_DATA`, else `../shared/data` beside the repository; `None`
/// where there is none, and tests use generated data. Says once, on standard error, which it is.
pub fn shared_data() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND
        .get_or_init(|| {
            let found = given("HEADWATER_TEST_DATA").or_else(|| beside("../shared/data")).filter(|path| path.is_dir());
            match &found {
                Some(path) => eprintln!("test data: {}", path.display()),
                None => eprintln!("test data: generated only (set HEADWATER_TEST_DATA to a folder of real photos)"),
            }
            found
        })
        .clone()
}

/// A Python interpreter with the tests' packages: `HEADWATER_PYTHON`, else `.venv/bin/python` in the repository.
pub fn python() -> Option<PathBuf> {
    given("HEADWATER_PYTHON").or_else(|| beside(".venv/bin/python")).filter(|path| path.is_file())
}

/// ONNX Runtime's library: `ORT_DYLIB_PATH`, else the one in the packages of [`python`].
pub fn onnxruntime_library() -> Option<PathBuf> {
    let in_packages = || {
        let environment = python()?.parent()?.parent()?.join("lib");
        entries(&environment)
            .flat_map(|python| entries(&python.join("site-packages/onnxruntime/capi")).collect::<Vec<_>>())
            .find(|file| name(file).starts_with("libonnxruntime.so"))
    };
    given("ORT_DYLIB_PATH").filter(|path| path.is_file()).or_else(in_packages)
}

/// The repository's root.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn given(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn beside(path: &str) -> Option<PathBuf> {
    let path = repository().join(path);
    path.exists().then_some(path)
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
