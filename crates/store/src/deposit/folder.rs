//! Photos put into a folder: written beside the dataset's photos, and moved to their place whole.
//!
//! They are written in a folder of the root whose name begins with a dot, so that no listing sees them, and on the same
//! file system, so that moving is one step. A file there is locked while it is on its way; what nobody has locked was
//! left by a process that was killed.

use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use headwater_types::key::to_bytes;
use headwater_types::{ByteCount, SampleKey};
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;

use crate::files::INCOMING;
use crate::local::version_of;
use crate::version::Version;

/// A folder that takes photos.
pub(super) struct Incoming {
    root: Dir,
}

/// A photo that is written and has no place yet. The file is removed with this.
pub(super) struct StagedFile {
    incoming: Dir,
    name: String,
    version: Version,
    /// Locked, so that no other process takes it for one that was left.
    file: cap_std::fs::File,
}

// === impl Incoming ===

impl Incoming {
    /// Opens the folder, and removes what was left there half written.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let incoming = Self { root: Dir::open_ambient_dir(path, ambient_authority())? };
        match incoming.root.open_dir(INCOMING) {
            Ok(folder) => sweep(&folder)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(incoming)
    }

    /// Writes a photo where no listing sees it, as one that was changed at a moment since 1970: its version is known
    /// before it is written, as far as the file system keeps moments so exactly.
    pub(super) fn stage(&self, bytes: &[u8], at: Duration) -> io::Result<StagedFile> {
        let incoming = self.folder(INCOMING)?;
        let name = format!("{:016x}{:016x}", RandomState::new().hash_one(1), RandomState::new().hash_one(2));
        let mut file = incoming.open_with(&name, OpenOptions::new().write(true).create_new(true))?;
        let written = (|| {
            rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            file.write_all(bytes)?;
            let at = Timespec { tv_sec: at.as_secs() as i64, tv_nsec: at.subsec_nanos().into() };
            rustix::fs::futimens(&file, &Timestamps { last_access: at, last_modification: at })?;
            file.metadata()
        })();
        match written {
            Ok(metadata) => Ok(StagedFile { incoming, name, version: version_of(&metadata), file }),
            Err(error) => {
                incoming.remove_file(&name)?;
                Err(error)
            }
        }
    }

    /// Moves a photo to its place, durably; `false` where something stands there.
    pub(super) fn publish(&self, staged: &StagedFile, key: &SampleKey) -> io::Result<bool> {
        let (folder, name) = key.as_str().rsplit_once('/').unwrap_or(("", key.as_str()));
        let folder = if folder.is_empty() { self.root.try_clone()? } else { self.folder(folder)? };
        let (from, to) = ((&staged.incoming, staged.name.as_str()), to_bytes(name));
        match rustix::fs::renameat_with(from.0, from.1, &folder, &*to, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Ok(false),
            // A file system that cannot move without replacing; the name that is left goes with what is staged.
            Err(Errno::INVAL | Errno::NOSYS) => {
                match rustix::fs::linkat(from.0, from.1, &folder, &*to, AtFlags::empty()) {
                    Ok(()) => {}
                    Err(Errno::EXIST) => return Ok(false),
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error.into()),
        }
        sync(&folder)?;
        Ok(true)
    }

    /// The version of what stands under a key.
    pub(super) fn find(&self, key: &SampleKey) -> io::Result<Option<Version>> {
        let name = to_bytes(key.as_str());
        match self.root.metadata(Path::new(OsStr::from_bytes(&name))) {
            Ok(metadata) => Ok(Some(version_of(&metadata))),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn free(&self) -> Option<ByteCount> {
        let disk = rustix::fs::fstatvfs(&self.root).ok()?;
        Some(ByteCount::new(disk.f_bavail.saturating_mul(disk.f_frsize)))
    }

    /// A folder right under the root, made if need be. It never leads out of the root.
    fn folder(&self, name: &str) -> io::Result<Dir> {
        match self.root.open_dir(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match self.root.create_dir(name) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                    Ok(()) | Err(_) => {}
                }
                sync(&self.root)?;
                self.root.open_dir(name)
            }
            opened => opened,
        }
    }
}

/// Makes the names in a folder durable. The folder's own handle is one for looking things up, which cannot be synced.
fn sync(folder: &Dir) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let readable = rustix::fs::openat(folder, ".", flags, Mode::empty())?;
    Ok(rustix::fs::fsync(readable)?)
}

/// Removes the files that no process has locked.
fn sweep(folder: &Dir) -> io::Result<()> {
    for item in folder.entries()? {
        let item = item?;
        if !item.file_type()?.is_file() {
            continue;
        }
        let file = item.open()?;
        if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            folder.remove_file(item.file_name())?;
        }
    }
    Ok(())
}

// === impl StagedFile ===

impl StagedFile {
    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// Makes it durable. That changes nothing of its version.
    pub(super) fn settle(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}

impl Drop for StagedFile {
    /// It is not there any more where it was moved to its place.
    fn drop(&mut self) {
        if let Err(error) = self.incoming.remove_file(&self.name)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a photo that was not taken in is left in {INCOMING}: the next start removes it");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    const AT: Duration = Duration::new(1_800_000_000, 123_456_789);

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = entries.collect();
        names.sort();
        names
    }

    #[test]
    fn a_photo_is_in_its_place_whole_or_nowhere_and_nothing_is_replaced() {
        let root = TempDir::new().unwrap();
        let incoming = Incoming::open(root.path()).unwrap();
        let key: SampleKey = "cat/1.jpg".parse().unwrap();
        let staged = incoming.stage(b"photo", AT).unwrap();
        assert_eq!(names(root.path()), [INCOMING], "no listing sees it");
        assert_eq!(incoming.find(&key).unwrap(), None);
        assert!(incoming.publish(&staged, &key).unwrap());
        let version = staged.version();
        drop(staged);
        assert_eq!((incoming.find(&key).unwrap(), version.size().get()), (Some(version), 5));
        assert_eq!(version, Version::of_file(5, 1_800_000_000, 123_456_789), "it is the one that was foretold");
        let another = incoming.stage(b"another", AT).unwrap();
        assert!(!incoming.publish(&another, &key).unwrap(), "something stands there");
        assert!(incoming.publish(&another, &"2.jpg".parse().unwrap()).unwrap(), "right under the root");
        drop(another);
        assert_eq!(fs::read(root.path().join("cat/1.jpg")).unwrap(), b"photo");
        assert!(names(&root.path().join(INCOMING)).is_empty(), "nothing is left");
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_is_on_its_way_stays() {
        let root = TempDir::new().unwrap();
        let first = Incoming::open(root.path()).unwrap();
        let staged = first.stage(b"photo", AT).unwrap();
        fs::write(root.path().join(INCOMING).join("left"), b"half").unwrap();
        Incoming::open(root.path()).unwrap();
        assert_eq!(names(&root.path().join(INCOMING)), [staged.name.as_str()]);
        drop(staged);
        assert!(names(&root.path().join(INCOMING)).is_empty());
    }

    #[test]
    fn no_link_leads_a_photo_out_of_the_root() {
        let (root, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        std::os::unix::fs::symlink(elsewhere.path(), root.path().join("cat")).unwrap();
        let incoming = Incoming::open(root.path()).unwrap();
        let staged = incoming.stage(b"photo", AT).unwrap();
        assert!(incoming.publish(&staged, &"cat/1.jpg".parse().unwrap()).is_err());
        assert!(names(elsewhere.path()).is_empty());
    }
}
