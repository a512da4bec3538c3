//! The folder of the versions: whole files, transfers that have come in part, and the record.
//!
//! ```text
//! DIR/models.lock      locked by the one process that has it
//! DIR/record           which versions there are (`record`)
//! DIR/record.broken-1  a record that was broken
//! DIR/files/DIGEST     a model, whole
//! DIR/partial/DIGEST   a transfer, as far as it has come
//! DIR/offers/DIGEST    a difference that another server fetches
//! DIR/classes/DIGEST   names of classes that were pushed with a model
//! DIR/new              what is being written
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use headwater_types::caps::{MAX_PARTIALS, MODEL_OFFERS, MODEL_RECORDS_ASIDE};
use headwater_types::{ByteCount, Digest};

use crate::error::VersionError;

/// The folder, which is this process's until this is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

// === impl Folder ===

impl Folder {
    /// Makes the folder, for this user alone, and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, VersionError> {
        for folder in
            [path.to_owned(), path.join("files"), path.join("partial"), path.join("offers"), path.join("classes")]
        {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
            made.map_err(VersionError::disk("make", &folder))?;
        }
        let at = path.join("models.lock");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let lock = options.open(&at).map_err(VersionError::disk("open", &at))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(VersionError::Locked { folder: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(VersionError::Disk { action: "lock", path: at, source }),
        }
    }

    /// Where the model of this digest is, or would be.
    pub(crate) fn file(&self, digest: Digest) -> PathBuf {
        self.path.join("files").join(digest.to_string())
    }

    /// The digests of the models that are there.
    pub(crate) fn files(&self) -> Result<Vec<Digest>, VersionError> {
        let folder = self.path.join("files");
        let entries = fs::read_dir(&folder).map_err(VersionError::disk("read", &folder))?;
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    /// The record's bytes; `None` where there is none yet.
    pub(crate) fn record(&self) -> Result<Option<Vec<u8>>, VersionError> {
        let path = self.path.join("record");
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(VersionError::Disk { action: "read", path, source }),
        }
    }

    /// Writes the record, whole.
    pub(crate) fn write_record(&self, bytes: &[u8]) -> Result<(), VersionError> {
        self.write(&self.path.join("record"), bytes)
    }

    /// Gives a broken record another name, which is returned.
    pub(crate) fn move_record_aside(&self) -> Result<PathBuf, VersionError> {
        let name = |number| self.path.join(format!("record.broken-{number}"));
        let free = (1..=MODEL_RECORDS_ASIDE).map(name).find(|path| !path.exists());
        let to = free.unwrap_or_else(|| name(MODEL_RECORDS_ASIDE));
        fs::rename(self.path.join("record"), &to).map_err(VersionError::disk("move aside", &to))?;
        self.sync(&self.path)?;
        Ok(to)
    }

    /// Writes a model, whole.
    pub(crate) fn write_file(&self, digest: Digest, bytes: &[u8]) -> Result<(), VersionError> {
        self.write(&self.file(digest), bytes)
    }

    /// Writes a difference for somebody who fetches it, and removes the oldest of the others.
    pub(crate) fn write_offer(&self, delta: Digest, bytes: &[u8]) -> Result<(), VersionError> {
        let folder = self.path.join("offers");
        self.write(&folder.join(delta.to_string()), bytes)?;
        let entries = fs::read_dir(&folder).map_err(VersionError::disk("read", &folder))?;
        let mut all: Vec<_> = entries
            .flatten()
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        all.sort();
        all.iter().rev().skip(MODEL_OFFERS).try_for_each(|(_, path)| remove(path))
    }

    /// A piece of a difference that is offered, or of a model; `None` where neither is here.
    pub(crate) fn read_piece(
        &self,
        transfer: Digest,
        place: ByteCount,
        most: usize,
    ) -> Result<Option<Vec<u8>>, VersionError> {
        let offer = self.path.join("offers").join(transfer.to_string());
        for path in [offer, self.file(transfer)] {
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(VersionError::Disk { action: "read", path, source }),
            };
            let read = || {
                let left = file.metadata()?.len().saturating_sub(place.get());
                let mut piece = vec![0; ByteCount::new(left.min(most as u64)).as_usize()];
                file.read_exact_at(&mut piece, place.get()).map(|()| piece)
            };
            return read().map(Some).map_err(VersionError::disk("read", &path));
        }
        Ok(None)
    }

    /// Writes names of classes, and says where.
    pub(crate) fn write_classes(&self, names: &str) -> Result<PathBuf, VersionError> {
        let path = self.path.join("classes").join(Digest::of(names.as_bytes()).to_string());
        if !path.is_file() {
            self.write(&path, names.as_bytes())?;
        }
        Ok(path)
    }

    pub(crate) fn remove_file(&self, digest: Digest) -> Result<(), VersionError> {
        remove(&self.file(digest))
    }

    /// Bytes of a transfer that are there.
    pub(crate) fn received(&self, transfer: Digest) -> ByteCount {
        ByteCount::new(fs::metadata(self.partial(transfer)).map_or(0, |file| file.len()))
    }

    /// Adds a piece to a transfer, at this place.
    pub(crate) fn write_piece(&self, transfer: Digest, place: u64, piece: &[u8]) -> Result<(), VersionError> {
        let path = self.partial(transfer);
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(&path);
        let written = file.and_then(|file| file.write_all_at(piece, place));
        written.map_err(VersionError::disk("write", &path))
    }

    pub(crate) fn read_partial(&self, transfer: Digest) -> Result<Vec<u8>, VersionError> {
        let path = self.partial(transfer);
        fs::read(&path).map_err(VersionError::disk("read", &path))
    }

    pub(crate) fn remove_partial(&self, transfer: Digest) -> Result<(), VersionError> {
        remove(&self.partial(transfer))
    }

    /// Bytes of all transfers that are there, after those are gone that have been idle for so long, or for longest
    /// where there are too many.
    pub(crate) fn partials(&self, idle: Duration) -> Result<ByteCount, VersionError> {
        let folder = self.path.join("partial");
        let entries = fs::read_dir(&folder).map_err(VersionError::disk("read", &folder))?;
        let now = SystemTime::now();
        let mut all: Vec<_> = entries
            .flatten()
            .filter_map(|entry| {
                let file = entry.metadata().ok()?;
                Some((file.modified().unwrap_or(now), file.len(), entry.path()))
            })
            .collect();
        all.sort();
        let mut there = 0;
        for (rank, (written, length, path)) in all.iter().rev().enumerate() {
            let is_idle = now.duration_since(*written).is_ok_and(|age| age >= idle);
            match is_idle || rank >= MAX_PARTIALS {
                true => remove(path)?,
                false => there += length,
            }
        }
        Ok(ByteCount::new(there))
    }

    /// Bytes of the disk that this user may fill.
    pub(crate) fn free(&self) -> Result<ByteCount, VersionError> {
        let has = rustix::fs::statvfs(&self.path).map_err(io::Error::from);
        let has = has.map_err(VersionError::disk("look at", &self.path))?;
        Ok(ByteCount::new(has.f_bavail.saturating_mul(has.f_frsize)))
    }

    fn partial(&self, transfer: Digest) -> PathBuf {
        self.path.join("partial").join(transfer.to_string())
    }

    /// Beside, synced, renamed, and the folder synced: there whole or not at all, also after a power cut.
    fn write(&self, to: &Path, bytes: &[u8]) -> Result<(), VersionError> {
        let new = self.path.join("new");
        let write = || {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&new, to)
        };
        write().map_err(VersionError::disk("write", to))?;
        self.sync(to.parent().unwrap_or(&self.path))
    }

    fn sync(&self, folder: &Path) -> Result<(), VersionError> {
        let sync = || File::open(folder)?.sync_all();
        sync().map_err(VersionError::disk("sync", folder))
    }
}

fn remove(path: &Path) -> Result<(), VersionError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(VersionError::disk("remove", path)(error)),
        _ => Ok(()),
    }
}
