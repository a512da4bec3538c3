//! Earlier models at hand: what differences are made from.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bytes::Bytes;
use headwater_onnx::file::{self, FileError};
use headwater_types::Digest;
use headwater_types::caps::MAX_MODEL_BYTES;
use headwater_types::write_fault::InWords;

/// Files that are named, and a folder of what was pushed before, each under its digest.
#[derive(Clone, Debug, Default)]
pub struct Bases {
    named: BTreeMap<Digest, Bytes>,
    folder: Option<PathBuf>,
}

/// A file that cannot be had, or a folder that takes none.
#[derive(Debug, thiserror::Error)]
pub enum BasesError {
    /// A model that was named cannot be read.
    #[error(transparent)]
    Model(#[from] FileError),
    /// The folder of what was pushed cannot be written.
    #[error("could not {action} {}: {}", path.display(), InWords(source))]
    Folder {
        /// What could not be done.
        action: &'static str,
        /// A file or the folder.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
}

/// Files that the folder keeps: the last that were pushed.
const KEPT: usize = 16;

// === impl Bases ===

impl Bases {
    /// Reads these files; the folder need not be there. Blocks.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn open(files: &[PathBuf], folder: Option<PathBuf>) -> Result<Self, BasesError> {
        let read = |path: &PathBuf| -> Result<_, BasesError> {
            let bytes = file::read(path, MAX_MODEL_BYTES)?;
            Ok((Digest::of(&bytes), Bytes::from(bytes)))
        };
        Ok(Self { named: files.iter().map(read).collect::<Result<_, _>>()?, folder })
    }

    /// The model of this digest, if it is at hand, and as it was kept. Blocks.
    pub fn find(&self, digest: Digest) -> Option<Bytes> {
        if let Some(named) = self.named.get(&digest) {
            return Some(named.clone());
        }
        let path = self.folder.as_ref()?.join(digest.to_string());
        if fs::metadata(&path).ok()?.len() > MAX_MODEL_BYTES.get() {
            return None;
        }
        let bytes = fs::read(&path).ok()?;
        (Digest::of(&bytes) == digest).then(|| bytes.into())
    }

    /// Keeps a model that was pushed, for the next difference, and lets go of the oldest. Blocks.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn keep(&self, model: &[u8]) -> Result<(), BasesError> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let path = folder.join(Digest::of(model).to_string());
        let write = || {
            fs::create_dir_all(folder)?;
            let new = folder.join(format!("new-{}", std::process::id()));
            fs::write(&new, model)?;
            fs::rename(&new, &path)
        };
        write().map_err(BasesError::of("write", &path))?;
        forget(folder).map_err(BasesError::of("tidy", folder))
    }
}

/// Removes all models but the last.
fn forget(folder: &Path) -> io::Result<()> {
    let mut kept: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)?.flatten() {
        // What has another name is somebody else's.
        if entry.file_name().to_str().is_some_and(|name| name.parse::<Digest>().is_ok()) {
            kept.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    kept.sort();
    let gone = kept.len().saturating_sub(KEPT);
    kept.iter().take(gone).try_for_each(|(_, path)| fs::remove_file(path))
}

// === impl BasesError ===

impl BasesError {
    fn of(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Folder { action, path, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed_is_found_again_unless_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let named = folder.path().join("named.onnx");
        fs::write(&named, "named").unwrap();
        let bases = Bases::open(&[named], Some(folder.path().join("bases"))).unwrap();
        assert_eq!(bases.find(Digest::of(b"named")).as_deref(), Some(&b"named"[..]));
        assert_eq!(bases.find(Digest::of(b"pushed")), None);
        bases.keep(b"pushed").unwrap();
        assert_eq!(bases.find(Digest::of(b"pushed")).as_deref(), Some(&b"pushed"[..]));
        fs::write(folder.path().join("bases").join(Digest::of(b"pushed").to_string()), "other").unwrap();
        assert_eq!(bases.find(Digest::of(b"pushed")), None);
        for number in 0..2 * KEPT {
            bases.keep(number.to_string().as_bytes()).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path().join("bases")).unwrap().count(), KEPT);
        assert!(Bases::open(&[folder.path().join("missing")], None).is_err());
    }
}
