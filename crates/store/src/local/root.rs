//! The root of a dataset, and the folders that its links may lead into.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cap_std::fs::Metadata;
use headwater_types::key::to_bytes;

use super::beneath::{Beneath, Item};
use super::file::File;

/// The folder of a dataset, held open, with the folders that its links may lead into.
pub(crate) struct Root {
    beneath: Beneath,
    /// The folder's path without links. No file is opened through it.
    path: PathBuf,
    /// Paths without links, and the folders there.
    followed: Vec<(PathBuf, Beneath)>,
}

/// Why links may not be followed into a folder.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The folder could not be opened.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The folder holds the whole machine, or the system's own files.
    #[error("it holds more than photos: name the folders that the links lead to")]
    System,
}

// === impl Root ===

impl Root {
    /// Opens the folder at this path, and says which path it has without links.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, PathBuf)> {
        let (beneath, path) = Beneath::open(path)?;
        Ok((Self { beneath, path: path.clone(), followed: Vec::new() }, path))
    }

    /// From now on, links are followed into this folder too.
    pub(crate) fn follow(&mut self, folder: &Path) -> Result<(), FollowError> {
        let (beneath, path) = Beneath::open(folder)?;
        let of_system = ["/proc", "/sys", "/dev"].into_iter().any(|system| path.starts_with(system));
        if of_system && !path.starts_with("/dev/shm") || path == Path::new("/") {
            return Err(FollowError::System);
        }
        self.followed.push((path, beneath));
        Ok(())
    }

    /// The folder's path without links.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The path to which a link leads, without links, where that lies in a folder into which links are followed.
    pub(crate) fn target(&self, key: &str) -> Option<PathBuf> {
        let target = self.path.join(as_path(&to_bytes(key))).canonicalize().ok()?;
        self.followed.iter().any(|(folder, _)| target.starts_with(folder)).then_some(target)
    }

    /// What stands in a folder below the root; the root itself is the empty path.
    pub(crate) fn items(&self, folder: &str) -> io::Result<impl Iterator<Item = io::Result<Item>> + use<>> {
        self.ask(folder, |beneath, path| beneath.items(path))
    }

    /// What the system knows of a path, links followed. May wait for a disk.
    pub(crate) fn metadata(&self, path: &str) -> io::Result<Metadata> {
        self.ask(path, Beneath::metadata)
    }

    /// What the system knows of a path without waiting for a disk: an error where the path is not in memory, or leads
    /// out of the root.
    pub(crate) fn metadata_now(&self, path: &str) -> io::Result<Metadata> {
        self.beneath.metadata_now(as_path(&to_bytes(path)))
    }

    /// Opens a file without waiting for whoever writes to it.
    pub(crate) fn file(&self, path: &str) -> io::Result<File> {
        self.ask(path, Beneath::file)
    }

    /// Asks below the root, and where the path leads out of it, below the folder in which it ends.
    fn ask<T>(&self, key: &str, ask: impl Fn(&Beneath, &Path) -> io::Result<T>) -> io::Result<T> {
        let bytes = to_bytes(key);
        let path = as_path(&bytes);
        let outside = match ask(&self.beneath, path) {
            Err(error) if !self.followed.is_empty() && leads_out(&error) => error,
            answer => return answer,
        };
        let target = self.path.join(path).canonicalize()?;
        for (folder, beneath) in &self.followed {
            if let Ok(path) = target.strip_prefix(folder) {
                return ask(beneath, path);
            }
        }
        Err(outside)
    }
}

/// Whether the path leads out of its root: `cap-std` makes this error itself, so that it has no number.
fn leads_out(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}

fn as_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}
