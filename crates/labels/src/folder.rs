//! The folder of an index: its file, the lock of those who use it, and the broken files that were there before.
//!
//! ```text
//! DIR/labels.redb           the index
//! DIR/labels.lock           locked by the one process that has it open, also while the file is exchanged
//! DIR/labels.new.redb       one that is being made
//! DIR/labels.broken-1.redb  an index that was broken
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use headwater_types::ByteCount;
use headwater_types::caps::LABEL_INDICES_ASIDE;

/// The folder, which is this process's until this is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

/// Why a folder is not had.
#[derive(Debug)]
pub(crate) enum NoFolder {
    /// Somebody else has it.
    Locked,
    /// The disk would not.
    Disk(io::Error),
}

// === impl Folder ===

impl Folder {
    /// Makes the folder, for this user alone, and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, NoFolder> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(NoFolder::Disk)?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let lock = options.open(path.join("labels.lock")).map_err(NoFolder::Disk)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(NoFolder::Locked),
            Err(TryLockError::Error(error)) => Err(NoFolder::Disk(error)),
        }
    }

    /// The folder's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The index's file.
    pub(crate) fn file(&self) -> PathBuf {
        self.path.join("labels.redb")
    }

    /// Whether there is a file with something in it.
    pub(crate) fn has_file(&self) -> io::Result<bool> {
        match fs::metadata(self.file()) {
            Ok(file) => Ok(file.len() > 0),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Where the file is to be made: it is empty, and this user's alone. What a crash has left there is gone.
    pub(crate) fn begin_file(&self) -> io::Result<PathBuf> {
        let path = self.new_file();
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        Ok(path)
    }

    /// Gives the file that was made its name, which outlives a power cut.
    pub(crate) fn finish_file(&self) -> io::Result<()> {
        fs::rename(self.new_file(), self.file())?;
        self.sync()
    }

    fn new_file(&self) -> PathBuf {
        self.path.join("labels.new.redb")
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.path)?.sync_all()
    }

    /// Gives the file another name, which is returned. Where there are too many such files, it takes the last one's.
    pub(crate) fn move_aside(&self) -> io::Result<PathBuf> {
        let names = (1..=LABEL_INDICES_ASIDE).map(|number| self.path.join(format!("labels.broken-{number}.redb")));
        let last = self.path.join(format!("labels.broken-{LABEL_INDICES_ASIDE}.redb"));
        let to = names.into_iter().find(|path| !path.exists()).unwrap_or(last);
        fs::rename(self.file(), &to)?;
        self.sync()?;
        Ok(to)
    }

    /// The bytes that the file takes on the disk.
    pub(crate) fn bytes(&self) -> ByteCount {
        ByteCount::new(fs::metadata(self.file()).map_or(0, |file| file.blocks() * 512))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_has_a_folder() {
        let above = tempfile::tempdir().unwrap();
        let path = above.path().join("a/labels");
        let folder = Folder::open(&path).unwrap();
        assert!(matches!(Folder::open(&path), Err(NoFolder::Locked)));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        drop(folder);
        assert!(Folder::open(&path).is_ok());
    }

    #[test]
    fn broken_files_are_kept_up_to_a_number() {
        let above = tempfile::tempdir().unwrap();
        let folder = Folder::open(above.path()).unwrap();
        for time in 1..7 {
            fs::write(folder.file(), [time]).unwrap();
            folder.move_aside().unwrap();
        }
        let kept = |number: u8| fs::read(above.path().join(format!("labels.broken-{number}.redb"))).ok();
        assert_eq!([1, 2, 3, 4, 5].map(kept), [Some(vec![1]), Some(vec![2]), Some(vec![3]), Some(vec![6]), None]);
        assert!(!folder.file().exists());
    }
}
