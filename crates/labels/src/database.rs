//! The index's file as a database, which is opened anew where its disk had failed, and begun anew where it is broken.

use std::fmt;
use std::fs::OpenOptions;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockWriteGuard};

use headwater_types::caps::LABEL_INDEX_CACHE;
use redb::backends::FileBackend;
use redb::{Builder, DatabaseError, ReadTransaction, ReadableDatabase as _, WriteTransaction};

use crate::error::{LabelError, MovedAside};
use crate::fault::{Fault, guarded};
use crate::folder::{Folder, NoFolder};
use crate::tables;
use crate::watched::Watched;

/// Opens a file, or makes it: the seam at which tests put a disk that fails.
pub(crate) type Opener = Box<dyn Fn(&mut Builder, &Path) -> Result<redb::Database, DatabaseError> + Send + Sync>;

/// The database of a folder.
pub(crate) struct Database {
    folder: Folder,
    opener: Opener,
    live: RwLock<Live>,
}

/// The open file.
#[derive(Default)]
struct Live {
    /// How often the file was closed: whoever failed on an earlier one must not close the next.
    closed: u64,
    /// Nothing after the disk has failed, until the next call.
    file: Option<redb::Database>,
}

// === impl Database ===

impl Database {
    /// Opens the database of a folder, or makes it.
    pub(crate) fn open(path: &Path, opener: Opener) -> Result<(Self, Option<MovedAside>), LabelError> {
        let folder = Folder::open(path).map_err(|error| match error {
            NoFolder::Locked => LabelError::Locked { folder: path.to_owned() },
            NoFolder::Disk(source) => LabelError::Disk { action: "open", folder: path.to_owned(), source },
        })?;
        let database = Self { folder, opener, live: RwLock::default() };
        let aside = database.open_in(&mut database.exclusive())?;
        Ok((database, aside))
    }

    /// The opener of files on the disk.
    pub(crate) fn of_disk() -> Opener {
        Box::new(|builder, path| {
            let file = OpenOptions::new().read(true).write(true).open(path)?;
            builder.create_with_backend(Watched::new(FileBackend::new(file)?))
        })
    }

    /// Where the database lies.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Does work that reads, on one state of the file.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&ReadTransaction) -> Result<T, Fault>) -> Result<T, LabelError> {
        self.call("read", |file| work(&file.begin_read()?))
    }

    /// Goes on with work that reads, and has its transaction.
    pub(crate) fn resume<T>(&self, work: impl FnOnce() -> Result<T, Fault>) -> Result<T, LabelError> {
        self.call("read", |_| work())
    }

    /// Does work that writes: all of it is durable when this returns, or nothing is done. Where there is an error of
    /// the disk, one of both is the case.
    pub(crate) fn write<T>(&self, work: impl FnOnce(&WriteTransaction) -> Result<T, Fault>) -> Result<T, LabelError> {
        self.call("write", |file| write(file, work))
    }

    fn call<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&redb::Database) -> Result<T, Fault>,
    ) -> Result<T, LabelError> {
        self.reopen()?;
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        let closed = live.closed;
        let done = live.file.as_ref().map_or(Err(Fault::Closed), |file| guarded(|| work(file)));
        drop(live);
        done.map_err(|fault| self.settle(action, closed, fault))
    }

    /// Opens the file again, where it was closed.
    fn reopen(&self) -> Result<(), LabelError> {
        if self.live.read().unwrap_or_else(PoisonError::into_inner).file.is_some() {
            return Ok(());
        }
        let mut live = self.exclusive();
        match live.file.is_some() {
            true => Ok(()),
            false => self.open_in(&mut live)?.map_or(Ok(()), |aside| Err(self.broken(aside))),
        }
    }

    /// Does what has to be done about a fault, and says it.
    fn settle(&self, action: &'static str, closed: u64, fault: Fault) -> LabelError {
        match fault {
            Fault::Refused(error) => error,
            Fault::Locked => LabelError::Locked { folder: self.folder.path().to_owned() },
            Fault::Closed => self.disk(action, std::io::Error::other("an earlier call failed")),
            Fault::Disk(error) => {
                self.close(closed);
                self.disk(action, error)
            }
            Fault::Corrupt(why) => {
                self.close(closed);
                // The file is looked through as it is opened.
                self.reopen().err().unwrap_or_else(|| self.disk(action, std::io::Error::other(why)))
            }
            Fault::Broken(why) => {
                let mut live = self.exclusive();
                live.close(closed);
                let begun = if live.file.is_none() { self.begin_anew(&mut live, why).map(Some) } else { Ok(None) };
                match begun {
                    Ok(Some(aside)) => self.broken(aside),
                    Ok(None) => self.disk(action, std::io::Error::other("an earlier call failed")),
                    Err(error) => error,
                }
            }
        }
    }

    /// Opens the file, or the one that is made in the place of a broken one.
    fn open_in(&self, live: &mut Live) -> Result<Option<MovedAside>, LabelError> {
        match guarded(|| self.open_whole()) {
            Ok(file) => {
                live.file = Some(file);
                Ok(None)
            }
            Err(Fault::Corrupt(why) | Fault::Broken(why)) => self.begin_anew(live, why).map(Some),
            Err(fault) => Err(self.said("open", fault)),
        }
    }

    fn begin_anew(&self, live: &mut Live, why: String) -> Result<MovedAside, LabelError> {
        let to = self.folder.move_aside().map_err(|error| self.disk("move aside", error))?;
        live.file = Some(guarded(|| self.open_whole()).map_err(|fault| self.said("make", fault))?);
        Ok(MovedAside { to, why })
    }

    /// Opens the file, or makes it, verifies every page of it, and sees that it is of this version.
    fn open_whole(&self) -> Result<redb::Database, Fault> {
        if !self.folder.has_file().map_err(Fault::Disk)? {
            self.make()?;
        }
        let file = self.open_file(&self.folder.file())?;
        tables::check(&file.begin_read()?)?;
        Ok(file)
    }

    /// Makes the file under another name: a crash meanwhile leaves no half of one.
    fn make(&self) -> Result<(), Fault> {
        let path = self.folder.begin_file().map_err(Fault::Disk)?;
        let file = self.open_file(&path)?;
        write(&file, tables::make)?;
        file.close()?;
        self.folder.finish_file().map_err(Fault::Disk)
    }

    fn open_file(&self, path: &Path) -> Result<redb::Database, Fault> {
        let mut builder = Builder::new();
        builder.set_cache_size(LABEL_INDEX_CACHE.as_usize()).set_check_integrity_on_open(true);
        Ok((self.opener)(&mut builder, path)?)
    }

    fn close(&self, closed: u64) {
        self.exclusive().close(closed);
    }

    fn exclusive(&self) -> RwLockWriteGuard<'_, Live> {
        self.live.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn said(&self, action: &'static str, fault: Fault) -> LabelError {
        match fault {
            Fault::Refused(error) => error,
            Fault::Locked => LabelError::Locked { folder: self.folder.path().to_owned() },
            Fault::Disk(error) => self.disk(action, error),
            Fault::Closed => self.disk(action, std::io::Error::other("an earlier call failed")),
            Fault::Corrupt(why) | Fault::Broken(why) => self.disk(action, std::io::Error::other(why)),
        }
    }

    fn disk(&self, action: &'static str, source: std::io::Error) -> LabelError {
        LabelError::Disk { action, folder: self.folder.path().to_owned(), source }
    }

    fn broken(&self, aside: MovedAside) -> LabelError {
        LabelError::Broken { folder: self.folder.path().to_owned(), aside }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Two-phase commit: a commit that a crash tears is never taken for one, whatever its checksum. Quick repair: the next
/// start need not find out which pages are free.
fn write<T>(file: &redb::Database, work: impl FnOnce(&WriteTransaction) -> Result<T, Fault>) -> Result<T, Fault> {
    let mut transaction = file.begin_write()?;
    transaction.set_two_phase_commit(true);
    transaction.set_quick_repair(true);
    let done = work(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

// === impl Live ===

impl Live {
    /// Closes the file, unless that was done since.
    fn close(&mut self, closed: u64) {
        if self.closed == closed {
            self.closed += 1;
            let file = self.file.take();
            // It writes as it closes. What fails there is no loss: all that was said to be durable is.
            let _ = guarded(|| {
                drop(file);
                Ok(())
            });
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.close(self.closed);
    }
}
