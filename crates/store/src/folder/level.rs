//! The names right under a folder, for whoever wants to know what kind of dataset it is.

use std::io;
use std::os::unix::ffi::OsStrExt;

use headwater_types::key::from_bytes;

use crate::level::Level;
use crate::local::Root;

/// What stands right under a folder below the root. A link counts by its name, as what it is named like.
pub(crate) fn level(root: &Root, folder: &str) -> io::Result<Level> {
    let mut level = Level::default();
    for item in root.items(folder)? {
        let item = item?;
        let name = item.name();
        let name = from_bytes(name.as_bytes());
        match item.file_type()?.is_dir() {
            true => level.folder(&name),
            false => level.file(&name),
        }
        if level.is_settled() {
            break;
        }
    }
    Ok(level)
}
