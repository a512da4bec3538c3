//! The names of parts, and the parts that a folder holds.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::{FolderError, at};

const PART_PREFIX: &str = "part-";
const PART_SUFFIX: &str = ".parquet";

/// Every part in the folder, by its first index; an error for a Parquet file that is no part.
pub fn part_paths(folder: &Path) -> Result<BTreeMap<u64, PathBuf>, FolderError> {
    let mut parts = BTreeMap::new();
    for (name, path) in entries(folder)? {
        match first_index(&name) {
            Some(first) => {
                parts.insert(first, path);
            }
            None if name.ends_with(PART_SUFFIX) => return Err(FolderError::Foreign(path)),
            None => {}
        }
    }
    Ok(parts)
}

/// The first index that a part's name says; `None` for other files.
pub(super) fn first_index(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(PART_PREFIX)?.strip_suffix(PART_SUFFIX)?;
    (digits.len() >= 10 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

/// The files of the folder whose names are UTF-8, with their names.
pub(super) fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, FolderError> {
    let list = || fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>();
    let named = |path: PathBuf| Some((path.file_name()?.to_str()?.to_owned(), path));
    Ok(list().map_err(at(folder))?.into_iter().filter_map(named).collect())
}

/// The name of the part that begins at this index.
pub(super) fn part_name(first: u64) -> String {
    format!("{PART_PREFIX}{first:010}{PART_SUFFIX}")
}
