//! A disk in memory that fails: one call, in one of the ways in which disks do, or all from some moment on.

use std::collections::HashMap;
use std::io::{Error, Result};
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

use crate::database::Opener;

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It says this number of errno(3), and does nothing.
    Says(i32),
    /// Half of what it writes is written.
    Tears,
    /// A sync says EIO, and what was not synced is lost: a kernel drops the pages that it could not write.
    Forgets,
    /// Neither this call nor any other until [`Disk::start_again`].
    Crashes,
}

/// The disk. Clones are the same one. Names of files are the real disk's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// By inode, so that it can be renamed.
    files: HashMap<u64, Content>,
    calls: u64,
    failure: Option<(u64, Failure)>,
    has_crashed: bool,
    failed: bool,
}

#[derive(Debug, Default)]
struct Content {
    synced: Vec<u8>,
    now: Vec<u8>,
    unsynced: Vec<Change>,
}

/// One file that is open.
#[derive(Debug)]
struct File {
    disk: Disk,
    inode: u64,
}

#[derive(Debug)]
enum Change {
    Length(usize),
    Bytes(usize, Vec<u8>),
}

const EIO: i32 = 5;
/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

// === impl Disk ===

impl Disk {
    /// Opens files of this disk. Each has a byte on the real one.
    pub(crate) fn opener(&self) -> Opener {
        let disk = self.clone();
        Box::new(move |builder, path| {
            let file = std::fs::metadata(path)?;
            let inode = file.ino();
            if file.len() == 0 {
                std::fs::write(path, [0])?;
                disk.state().files.remove(&inode);
            }
            builder.create_with_backend(File { disk: disk.clone(), inode })
        })
    }

    /// Lets a call fail, counted from now: 0 is the next.
    pub(crate) fn fail(&self, call: u64, failure: Failure) {
        let mut state = self.state();
        state.failure = Some((state.calls + call, failure));
        state.failed = false;
    }

    /// Whether the call that was to fail has come.
    pub(crate) fn has_failed(&self) -> bool {
        self.state().failed
    }

    /// Calls so far.
    pub(crate) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// After a crash, there is what was synced, and of the rest some sectors, as the seed says.
    pub(crate) fn start_again(&self, seed: u64) {
        let mut state = self.state();
        state.files.values_mut().for_each(|file| file.lose(seed));
        (state.has_crashed, state.failure) = (false, None);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Counts a call, and says how it is to fail.
    fn call(&self) -> (MutexGuard<'_, State>, Option<Failure>) {
        let mut state = self.state();
        let failure = state.failure.filter(|(call, _)| *call == state.calls).map(|(_, failure)| failure);
        state.calls += 1;
        state.failed |= failure.is_some();
        state.has_crashed |= failure == Some(Failure::Crashes);
        let failure = if state.has_crashed { Some(Failure::Crashes) } else { failure };
        (state, failure)
    }
}

fn said(failure: Option<Failure>) -> Result<()> {
    match failure {
        None => Ok(()),
        Some(Failure::Says(errno)) => Err(Error::from_raw_os_error(errno)),
        Some(_) => Err(Error::from_raw_os_error(EIO)),
    }
}

// === impl State ===

impl State {
    fn file(&mut self, inode: u64) -> &mut Content {
        self.files.entry(inode).or_default()
    }
}

// === impl Content ===

impl Content {
    fn apply(&mut self, change: Change) {
        change.apply(&mut self.now);
        self.unsynced.push(change);
    }

    /// Goes back to what was synced, with some sectors of what was written since.
    fn lose(&mut self, mut seed: u64) {
        let mut bytes = std::mem::take(&mut self.synced);
        for change in self.unsynced.drain(..) {
            match change {
                // The longer file is there or not.
                Change::Length(_) if seed == u64::MAX => {}
                Change::Length(length) => bytes.resize(length, 0),
                Change::Bytes(offset, written) => {
                    for (at, sector) in written.chunks(SECTOR).enumerate() {
                        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                        let start = offset + at * SECTOR;
                        if seed >> 63 == 0 && start + sector.len() <= bytes.len() {
                            bytes[start..start + sector.len()].copy_from_slice(sector);
                        }
                    }
                }
            }
        }
        (self.now, self.synced) = (bytes.clone(), bytes);
    }
}

// === impl Change ===

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Length(length) => to.resize(*length, 0),
            Self::Bytes(offset, bytes) => to[*offset..offset + bytes.len()].copy_from_slice(bytes),
        }
    }
}

// === impl StorageBackend for File ===

impl StorageBackend for File {
    fn len(&self) -> Result<u64> {
        let (mut state, failure) = self.disk.call();
        said(failure).map(|()| state.file(self.inode).now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let (mut state, failure) = self.disk.call();
        said(failure)?;
        let offset = offset as usize;
        let bytes = state
            .file(self.inode)
            .now
            .get(offset..offset + out.len())
            .ok_or(Error::from(std::io::ErrorKind::UnexpectedEof))?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let (mut state, failure) = self.disk.call();
        said(failure)?;
        state.file(self.inode).apply(Change::Length(len as usize));
        Ok(())
    }

    fn sync_data(&self) -> Result<()> {
        let (mut state, failure) = self.disk.call();
        let file = state.file(self.inode);
        if failure == Some(Failure::Forgets) {
            file.lose(u64::MAX);
        }
        said(failure)?;
        file.synced.clone_from(&file.now);
        file.unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let (mut state, failure) = self.disk.call();
        let length = match failure {
            None => data.len(),
            Some(Failure::Tears) => data.len() / 2,
            Some(_) => 0,
        };
        if length > 0 {
            state.file(self.inode).apply(Change::Bytes(offset as usize, data[..length].to_vec()));
        }
        said(failure)
    }
}

mod tests;
