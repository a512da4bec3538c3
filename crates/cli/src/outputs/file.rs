//! One file that is to be written.

use std::borrow::Cow;
use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tempfile::Builder;

use super::error::{KeptElsewhere, OutputError};
use super::setting::Setting;
use super::sink::Sink;
use super::space;
use super::target::{Fault, Target};

/// A file that is opened to be written. Where it is dropped without being written, what was there before stays.
#[derive(Debug)]
pub struct OutputFile {
    setting: Setting,
    path: PathBuf,
    target: Target,
    synced: bool,
}

/// Where content is, and why it is not where it was wanted.
#[derive(Debug)]
pub struct Written {
    /// The file that has the content.
    pub path: PathBuf,
    /// The reason for which the content is not in its place, where it is not.
    pub fault: Option<KeptElsewhere>,
}

// === impl OutputFile ===

impl OutputFile {
    /// Makes a file beside `path`; removes what killed programs have left there of the same file.
    ///
    /// # Errors
    /// A folder, a missing folder, a place that may not be written to, a full disk.
    pub fn open(setting: impl Into<Setting>, path: &Path) -> Result<Self, OutputError> {
        let setting = setting.into();
        let target = Target::open(&setting, path)?;
        Ok(Self { setting, path: path.to_owned(), target, synced: true })
    }

    /// The same file, but not synced when it is written: for one of very many files, each of which a crash of the
    /// machine may take.
    pub fn unsynced(self) -> Self {
        Self { synced: false, ..self }
    }

    /// Takes the space for so many bytes now, where the file system can; gives back what is not used.
    ///
    /// # Errors
    /// The bytes do not fit.
    pub fn reserve(&self, bytes: u64) -> Result<(), OutputError> {
        let Target::Beside { file, .. } = &self.target else { return Ok(()) };
        let failed = |error| OutputError::of_writing(&self.setting, &self.path, bytes, error);
        space::reserve(file.as_file(), bytes).map_err(failed)
    }

    /// The place of the file, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the place is a device or a pipe, which takes bytes as they come.
    pub(super) fn is_direct(&self) -> bool {
        !matches!(self.target, Target::Beside { .. })
    }

    /// Writes the content.
    ///
    /// # Errors
    /// What the file system says; what was there before is still there.
    pub fn write_all(self, content: &[u8]) -> Result<(), OutputError> {
        self.write(|sink| sink.write_all(content))
    }

    /// Writes the content piece by piece, for content that would take much memory at once.
    ///
    /// # Errors
    /// What the file system says, or the error of `write`; what was there before is still there.
    pub fn write<E: Into<Box<dyn Error + Send + Sync>>>(
        self,
        write: impl FnOnce(&mut Sink<'_>) -> Result<(), E>,
    ) -> Result<(), OutputError> {
        let Self { setting, path, target, synced } = self;
        let offered = target.fill(write, |offered, error| match error {
            Fault::Place(error) => OutputError::of_writing(&setting, &path, offered, error),
            Fault::Content(error) => OutputError::Content { setting: setting.clone(), path: path.clone(), error },
        })?;
        target.put(synced).map_err(|error| OutputError::of_writing(&setting, &path, offered, error))
    }

    /// Writes the content into its place or, where that cannot take it, into the system's folder for temporary files:
    /// for what took long to make.
    ///
    /// # Errors
    /// Neither could take it, or the error of `write`.
    pub fn write_somewhere<E: Into<Box<dyn Error + Send + Sync>>>(
        self,
        write: impl Fn(&mut Sink<'_>) -> Result<(), E>,
    ) -> Result<Written, OutputError> {
        let path = self.path.clone();
        let error = match self.write(&write) {
            Ok(()) => return Ok(Written { path, fault: None }),
            Err(error) if error.is_of_place() => error,
            Err(error) => return Err(error),
        };
        match Self::elsewhere(path.file_name().unwrap_or_default()).and_then(|(file, kept)| {
            file.write(&write)?;
            Ok(kept)
        }) {
            Ok(kept) => Ok(Written { path: kept.clone(), fault: Some(KeptElsewhere { kept, error }) }),
            Err(twice) => {
                tracing::warn!(reason = %twice, "nor could it be kept in the folder for temporary files");
                Err(error)
            }
        }
    }

    /// A file in the system's folder for temporary files, under a name that nobody has.
    fn elsewhere(name: &OsStr) -> Result<(Self, PathBuf), OutputError> {
        let (setting, folder) = (Cow::Borrowed("TMPDIR"), std::env::temp_dir());
        let suffix = format!("-{}", name.to_string_lossy());
        let made = Builder::new().prefix("headwater-").suffix(&suffix).tempfile_in(&folder);
        let place = made.and_then(|file| Ok(file.into_temp_path().keep()?));
        let path = place.map_err(|error| OutputError::of_writing(&setting, &folder, 0, error))?;
        let opened = Self::open(setting, &path).inspect_err(|_| drop(fs::remove_file(&path)))?;
        Ok((opened, path))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::os::unix::fs::symlink;

    use super::*;

    fn open(path: &Path) -> Result<OutputFile, OutputError> {
        OutputFile::open("--out", path)
    }

    #[test]
    fn a_file_replaces_the_old_one_whole_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("head.onnx");
        for content in ["old", "new"] {
            let file = open(&path).unwrap();
            file.reserve(1 << 16).unwrap();
            file.write_all(content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        let failed = open(&path).unwrap().write(|sink| {
            sink.write_all(b"half")?;
            Err(io::Error::other("a model that cannot be made"))
        });
        assert!(matches!(failed, Err(OutputError::Content { .. })));
        drop(open(&path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        symlink(&path, dir.path().join("link")).unwrap();
        open(&dir.path().join("link")).unwrap().unsynced().write_all(b"by a link").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "by a link");
        assert!(dir.path().join("link").is_symlink());
    }

    #[test]
    fn what_cannot_be_written_is_refused_when_it_is_opened_naming_setting_and_fix() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "x").unwrap();
        for (path, words) in [
            (dir.path().to_owned(), "is a folder"),
            (dir.path().join("new/"), "is a folder"),
            (dir.path().join("none/head.onnx"), "there is no folder"),
            (file.join("head.onnx"), "there is no folder"),
        ] {
            let error = open(&path).unwrap_err().to_string();
            assert!(error.contains(words) && error.starts_with("--out "), "{error}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_full_disk_does_not_take_is_kept_elsewhere_and_the_error_counts_bytes() {
        let full = || open(Path::new("/dev/full")).unwrap();
        let error = full().write_all(&[7; 100_000]).unwrap_err();
        let OutputError::Full { needed, .. } = &error else { panic!("{error}") };
        assert_eq!(*needed, 100_000);
        assert!(error.to_string().contains("--out /dev/full: the file system is full: 100000 bytes"), "{error}");
        // An error of the file system is one, however whoever writes wraps it.
        let wrapped = full().write(|sink| sink.write_all(&[7; 100_000]).map_err(|_| "a writer's own words"));
        assert!(matches!(wrapped, Err(OutputError::Full { .. })));
        let Written { path, fault } = full().write_somewhere(|sink| sink.write_all(b"hours of work")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"hours of work");
        let fault = fault.unwrap().to_string();
        assert!(fault.contains("--out") && fault.contains(path.to_str().unwrap()), "{fault}");
        fs::remove_file(path).unwrap();
    }
}
