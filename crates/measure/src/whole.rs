//! Files that are there whole or not at all: written beside their place, then put into it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

/// Writes a file. Whoever looks finds the old one, the new one or none, and never a part.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    replace(path, |file| file.write_all(content))
}

/// The same, piece by piece: for what would take much memory at once.
pub(crate) fn replace<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    let mut beside = OsString::from(".");
    beside.push(path.file_name().unwrap_or_default());
    beside.push(".part");
    let part = path.with_file_name(beside);
    let whole = || {
        let mut writer = BufWriter::new(File::create(&part)?);
        write(&mut writer)?;
        writer.flush()?;
        Ok(fs::rename(&part, path)?)
    };
    whole().inspect_err(|_| {
        // What cannot be written can perhaps not be removed either; the first error is the one to tell.
        let _ = fs::remove_file(&part);
    })
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_replaces_the_old_one_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("7.npy");
        for content in ["old", "new"] {
            write(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert!(write(&folder.path().join("none/7.npy"), b"x").is_err());
    }
}
