//! What an output is written to: a file beside its place, a device or a pipe, or standard output.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::beside::{clean, create, folder_of};
use super::error::OutputError;
use super::setting::Setting;
use super::sink::Sink;

/// What is open for an output.
#[derive(Debug)]
pub(super) enum Target {
    /// Written beside `place`, and then put into it.
    Beside {
        /// The file that is written.
        file: NamedTempFile,
        /// Where it goes.
        place: PathBuf,
    },
    /// A device or a pipe, which is written to directly.
    Direct(File),
    /// Standard output, as the program was given it.
    Stdout,
}

/// What went wrong while content was written.
pub(super) enum Fault {
    /// The file system refused.
    Place(io::Error),
    /// The content could not be made.
    Content(Box<dyn Error + Send + Sync>),
}

/// Standard output's names; opened anew, a file behind it would be written from its start.
const STDOUT: [&str; 3] = ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

// === impl Target ===

impl Target {
    /// Opens the place, so that what cannot be written is found out now.
    pub(super) fn open(setting: &Setting, path: &Path) -> Result<Self, OutputError> {
        let is_folder = || OutputError::IsFolder { setting: setting.clone(), path: path.to_owned() };
        let failed = |error| OutputError::of_writing(setting, path, 0, error);
        if STDOUT.iter().any(|name| path == Path::new(name)) {
            return Ok(Self::Stdout);
        }
        let there = fs::metadata(path).ok();
        if path.as_os_str().as_bytes().ends_with(b"/") || there.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(is_folder());
        }
        if there.as_ref().is_some_and(|there| !there.is_file()) || path.starts_with("/dev/fd") {
            return Ok(Self::Direct(File::options().write(true).open(path).map_err(failed)?));
        }
        if there.is_some() {
            // A file that is protected from writing is not replaced either, although its folder would allow that.
            File::options().write(true).open(path).map_err(failed)?;
        }
        // A link stays a link: what it leads to is replaced.
        let place = if there.is_some() { path.canonicalize().map_err(failed)? } else { path.to_owned() };
        let folder = folder_of(&place);
        if !folder.is_dir() {
            let (setting, path, folder) = (setting.clone(), path.to_owned(), folder.to_owned());
            return Err(OutputError::NoFolder { setting, path, folder });
        }
        let name = place.file_name().ok_or_else(is_folder)?;
        clean(folder, Some(name));
        let file = create(folder, name).map_err(failed)?;
        Ok(Self::Beside { file, place })
    }

    /// Writes the content, and gives the number of its bytes.
    pub(super) fn fill<E: Into<Box<dyn Error + Send + Sync>>>(
        &self,
        write: impl FnOnce(&mut Sink<'_>) -> Result<(), E>,
        error: impl Fn(u64, Fault) -> OutputError,
    ) -> Result<u64, OutputError> {
        let mut sink = match self {
            Self::Beside { file, .. } => Sink::of_file(file.as_file()),
            Self::Direct(file) => Sink::of_file(file),
            Self::Stdout => Sink::of_stdout(),
        };
        let written = write(&mut sink);
        let flushed = sink.flush();
        if let Some(fault) = sink.take_fault() {
            return Err(error(sink.offered(), Fault::Place(fault)));
        }
        written.map_err(|made| error(sink.offered(), Fault::Content(made.into())))?;
        flushed.map_err(|fault| error(sink.offered(), Fault::Place(fault)))?;
        Ok(sink.offered())
    }

    /// Puts what was written into its place.
    pub(super) fn put(self, synced: bool) -> io::Result<()> {
        let Self::Beside { file, place } = self else { return Ok(()) };
        // Space that was reserved and not used goes back.
        let length = file.as_file().metadata()?.len();
        file.as_file().set_len(length)?;
        if synced {
            file.as_file().sync_all()?;
        }
        file.persist(&place).map_err(|error| error.error)?;
        if synced {
            File::open(folder_of(&place))?.sync_all()?;
        }
        Ok(())
    }
}
