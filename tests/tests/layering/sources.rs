//! The source files that the house is made of: what is compiled into programs, tests and benchmarks aside.

use std::path::{Path, PathBuf};

use super::metadata;
use super::modules::Modules;

/// The root file of each crate.
pub(crate) fn crates() -> Vec<PathBuf> {
    let metadata = metadata();
    let targets = metadata.workspace_packages().into_iter().flat_map(|package| &package.targets);
    let roots = targets.map(|target| target.src_path.clone().into_std_path_buf());
    roots.filter(|path| path.parent().is_some_and(|folder| folder.ends_with("src"))).collect()
}

/// The root file of each crate that programs are made of.
pub(crate) fn programs() -> Vec<PathBuf> {
    crates().into_iter().filter(|root| !OF_TESTS.iter().any(|folder| root.ends_with(folder))).collect()
}

/// All files of the crates that programs are made of, with their lines up to their unit tests.
pub(crate) fn files() -> Vec<(PathBuf, Vec<String>)> {
    let mut files: Vec<_> = programs().iter().flat_map(|root| Modules::read(root).files).collect();
    files.sort();
    files.dedup();
    let lines: Vec<_> = files.iter().map(|path| lines(path)).collect();
    files.into_iter().zip(lines).collect()
}

/// Crates that no program is made of.
const OF_TESTS: [&str; 3] = ["tests/src/lib.rs", "testdata/src/lib.rs", "testdata/src/main.rs"];

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().map(str::to_owned).collect()
}
