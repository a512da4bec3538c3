//! A folder that is to be written to.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};

use headwater_types::WriteFault;

use super::error::OutputError;
use super::file::OutputFile;
use super::setting::Setting;
use super::{beside, space};

/// A folder that takes files. It is made where there is none, and taken away again where nothing came into it.
#[derive(Debug)]
pub struct OutputFolder {
    setting: Setting,
    path: PathBuf,
    /// The folders that were made, outermost first.
    made: Vec<PathBuf>,
}

// === impl OutputFolder ===

impl OutputFolder {
    /// Makes the folder where there is none, sees that files can be made in it, and removes what killed programs have
    /// left half-written.
    ///
    /// # Errors
    /// A file, and what the file system refuses.
    pub fn open(setting: impl Into<Setting>, path: &Path) -> Result<Self, OutputError> {
        let setting = setting.into();
        if fs::metadata(path).is_ok_and(|there| !there.is_dir()) {
            return Err(OutputError::IsFile { setting, path: path.to_owned() });
        }
        // From here on whatever was made is taken away again if this fails.
        let mut folder = Self { setting, path: path.to_owned(), made: Vec::new() };
        folder.make().map_err(|error| folder.failed(0, error))?;
        beside::clean(path, None);
        beside::create(path, OsStr::new("test")).map_err(|error| folder.failed(0, error))?;
        Ok(folder)
    }

    /// Opens a file in it.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn file(&self, name: &str) -> Result<OutputFile, OutputError> {
        OutputFile::open(self.setting.clone(), &self.path.join(name))
    }

    /// Sees that so many bytes can still be written, as far as the file system says.
    ///
    /// # Errors
    /// The file system has less room.
    pub fn need(&self, bytes: u64) -> Result<(), OutputError> {
        match space::free(&self.path) {
            Some(free) if free < bytes => Err(OutputError::Full {
                setting: self.setting.clone(),
                path: self.path.clone(),
                fault: WriteFault::DiskFull,
                needed: bytes,
                free: Some(free),
            }),
            _ => Ok(()),
        }
    }

    /// The folder's path, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the folder was made when it was opened.
    pub fn is_new(&self) -> bool {
        !self.made.is_empty()
    }

    fn make(&mut self) -> io::Result<()> {
        let mut missing: Vec<_> = self.path.ancestors().take_while(|path| !path.as_os_str().is_empty()).collect();
        missing.retain(|path| !path.exists());
        let missing: Vec<_> = missing.into_iter().rev().map(Path::to_owned).collect();
        for folder in missing {
            match DirBuilder::new().create(&folder) {
                Ok(()) => self.made.push(folder),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn failed(&self, needed: u64, error: io::Error) -> OutputError {
        OutputError::of_writing(&self.setting, &self.path, needed, error)
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        // Stops at the first that is not empty.
        let _ = self.made.iter().rev().try_for_each(fs::remove_dir);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_into_which_nothing_came_is_taken_away_and_any_other_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        let folder = OutputFolder::open("--out", &path).unwrap();
        assert!(folder.is_new() && path.is_dir());
        drop(folder);
        assert!(!dir.path().join("a").exists());
        let folder = OutputFolder::open("--out", &path).unwrap();
        folder.file("x").unwrap().write_all(b"x").unwrap();
        drop(folder);
        assert!(path.join("x").exists());
        assert!(!OutputFolder::open("--out", &path).unwrap().is_new());
        let error = OutputFolder::open("--out", &path.join("x")).unwrap_err().to_string();
        assert!(error.contains("is a file"), "{error}");
    }

    #[test]
    fn more_than_the_disk_has_is_refused_with_both_numbers() {
        let dir = tempfile::tempdir().unwrap();
        let folder = OutputFolder::open("--out", dir.path()).unwrap();
        folder.need(1).unwrap();
        let error = folder.need(u64::MAX).unwrap_err().to_string();
        assert!(error.contains("18446744073709551615 bytes are needed and ") && error.contains("--out"), "{error}");
    }
}
