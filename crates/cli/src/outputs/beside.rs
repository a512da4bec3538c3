//! The file beside its place: `.NAME.XXXXXX.part`, locked (flock) while whoever writes it lives.
//!
//! The lock tells a file that is being written from one that a killed program has left: the kernel takes it away with
//! the process. Readers of folders of Parquet files pass over names that begin with a dot.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

const SUFFIX: &str = ".part";
/// Random characters of a name.
const RANDOM: usize = 6;
/// Most bytes of a file's name that its temporary name repeats: names have at most 255.
const MOST_NAME: usize = 200;
/// Whoever cleans up can only get in the way of a file in the moment before it is locked.
const TRIES: usize = 16;

/// The folder that holds, or will hold, this file.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file beside the place of `name`; removed when dropped.
pub(super) fn create(folder: &Path, name: &OsStr) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    let prefix = prefix(name);
    // As any other program's output: the umask decides, not the caution that is right for secrets.
    builder.prefix(&prefix).suffix(SUFFIX).rand_bytes(RANDOM).permissions(Permissions::from_mode(0o666));
    for _ in 0..TRIES {
        let file = builder.tempfile_in(folder)?;
        match file.as_file().try_lock() {
            Ok(()) if file.as_file().metadata()?.nlink() > 0 => return Ok(file),
            // Where nothing can be locked, nothing is taken for abandoned either.
            Err(TryLockError::Error(_)) => return Ok(file),
            Ok(()) | Err(TryLockError::WouldBlock) => {}
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// Removes what killed programs have left in a folder: of the file `name`, or of every file.
pub(super) fn clean(folder: &Path, name: Option<&OsStr>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let prefix = name.map_or_else(|| OsString::from("."), prefix);
    for entry in entries.flatten().filter(|entry| is_temporary(&entry.file_name(), &prefix)) {
        let path = entry.path();
        // The lock is held until the file is gone, so that nobody else takes it for a file of theirs.
        let Ok(file) = File::open(&path) else { continue };
        if file.try_lock().is_ok() && fs::remove_file(&path).is_ok() {
            tracing::info!(file = %path.display(), "removed what a program that was killed had left half-written");
        }
    }
}

fn prefix(name: &OsStr) -> OsString {
    let name = name.as_bytes();
    let mut prefix = OsString::from(".");
    prefix.push(OsStr::from_bytes(&name[..name.len().min(MOST_NAME)]));
    prefix.push(".");
    prefix
}

fn is_temporary(name: &OsStr, prefix: &OsStr) -> bool {
    let middle = name.as_bytes().strip_prefix(prefix.as_bytes()).and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()));
    let random = middle.and_then(|middle| middle.get(middle.len().checked_sub(RANDOM)?..));
    random.is_some_and(|random| random.iter().all(u8::is_ascii_alphanumeric))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_program_left_is_removed_and_what_is_being_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let names = |of: &[&str]| of.iter().all(|name| folder.path().join(name).exists());
        let live = create(folder.path(), OsStr::new("a.onnx")).unwrap();
        for name in [".a.onnx.ab12Cd.part", ".b.onnx.ab12Cd.part", ".a.onnx.part", ".a.onnx.no-no-.part", "x.part"] {
            fs::write(folder.path().join(name), "half").unwrap();
        }
        clean(folder.path(), Some(OsStr::new("a.onnx")));
        assert!(!names(&[".a.onnx.ab12Cd.part"]) && names(&[".b.onnx.ab12Cd.part"]));
        clean(folder.path(), None);
        assert!(!names(&[".b.onnx.ab12Cd.part"]));
        assert!(live.path().exists() && names(&[".a.onnx.part", ".a.onnx.no-no-.part", "x.part"]));
        create(folder.path(), OsStr::new(&"n".repeat(255))).unwrap();
    }
}
