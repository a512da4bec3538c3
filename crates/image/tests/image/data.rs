//! Where test photos come from: the folder `HEADWATER_TEST_DATA` (by default `shared/data` beside the repository).

use std::path::{Path, PathBuf};

/// The folder with the shared test data, where there is one.
fn root() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("HEADWATER_TEST_DATA").map_or(beside, PathBuf::from);
    root.is_dir().then_some(root)
}

/// Every `step`th file below a folder of the shared data, in order of name. Without the data there are none, and a line
/// is printed.
pub(crate) fn files(folder: &str, step: usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    match root() {
        Some(root) => collect(&root.join(folder), &mut found),
        None => println!("no shared data: {folder} is not tested, generated pictures only"),
    }
    found.sort();
    println!("{} files in {folder}, every {step}th is tested", found.len());
    found.into_iter().step_by(step).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = folder.read_dir() else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push(path);
        }
    }
}
