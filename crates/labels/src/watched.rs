//! A file of which every page is known by its checksum once it was read or written, as long as it is open.
//!
//! The B-tree verifies its pages when it is opened, and believes them from then on. Of a page that comes otherwise from
//! the disk later it may panic in a destructor, where no panic can be caught. Here such a page is an error, after which
//! the file is opened, and so verified, again. It takes eight bytes of memory for each page of 4 KiB.

use std::io::{Error, ErrorKind, Result};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::{BackendError, StorageBackend};
use twox_hash::XxHash3_64;

const PAGE: usize = 4096;

/// A file, watched.
#[derive(Debug)]
pub(crate) struct Watched<B> {
    inner: B,
    /// Of each page, unless it is not known: 0.
    checksums: Mutex<Vec<u64>>,
}

// === impl Watched ===

impl<B> Watched<B> {
    pub(crate) fn new(inner: B) -> Self {
        Self { inner, checksums: Mutex::default() }
    }

    fn checksums(&self) -> MutexGuard<'_, Vec<u64>> {
        self.checksums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes pages, or holds them against what was noted.
    fn verify(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut checksums = self.checksums();
        for (page, bytes) in whole_pages(offset, bytes) {
            let known = place(&mut checksums, page);
            let found = checksum(bytes);
            if *known != 0 && *known != found {
                let what = format!("page {page} is not what was written");
                return Err(Error::new(ErrorKind::InvalidData, what));
            }
            *known = found;
        }
        Ok(())
    }

    /// Notes what is written. Of pages that are written in part nothing is known.
    fn note(&self, offset: u64, bytes: &[u8]) {
        let mut checksums = self.checksums();
        let end = offset + bytes.len() as u64;
        for page in offset / PAGE as u64..end.div_ceil(PAGE as u64) {
            *place(&mut checksums, page as usize) = 0;
        }
        for (page, bytes) in whole_pages(offset, bytes) {
            *place(&mut checksums, page) = checksum(bytes);
        }
    }
}

/// The pages that lie in these bytes of a file as a whole, by their number.
fn whole_pages(offset: u64, bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let first = offset.div_ceil(PAGE as u64) as usize;
    let skipped = (first * PAGE).saturating_sub(offset as usize);
    (first..).zip(bytes.get(skipped..).unwrap_or_default().chunks_exact(PAGE))
}

fn place(checksums: &mut Vec<u64>, page: usize) -> &mut u64 {
    if page >= checksums.len() {
        checksums.resize(page + 1, 0);
    }
    &mut checksums[page]
}

fn checksum(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes).max(1)
}

// === impl StorageBackend for Watched ===

impl<B: StorageBackend> StorageBackend for Watched<B> {
    fn len(&self) -> Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.inner.read(offset, out)?;
        self.verify(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.inner.set_len(len)?;
        // What is cut off may come back as zeros.
        self.checksums().truncate((len / PAGE as u64) as usize);
        Ok(())
    }

    fn sync_data(&self) -> Result<()> {
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        self.inner.write(offset, data)?;
        self.note(offset, data);
        Ok(())
    }

    fn close(&self) -> Result<()> {
        self.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> std::result::Result<bool, BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> std::result::Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> std::result::Result<(), BackendError> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> std::result::Result<(), BackendError> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> std::result::Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> std::result::Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    #[test]
    fn a_page_that_is_not_what_it_was_is_an_error() {
        let watched = Watched::new(InMemoryBackend::new());
        watched.set_len(5 * PAGE as u64).unwrap();
        let mut read = vec![0; 2 * PAGE];
        watched.write(PAGE as u64, &[7; 2 * PAGE]).unwrap();
        watched.read(PAGE as u64, &mut read).unwrap();
        watched.inner.write(2 * PAGE as u64 + 9, &[8]).unwrap();
        assert!(watched.read(0, &mut read).is_ok());
        let error = watched.read(PAGE as u64, &mut read).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::InvalidData, "page 2 is not what was written")
        );
        // In part it is written again: what it is as a whole is learnt by reading it.
        watched.write(2 * PAGE as u64, &[1; 10]).unwrap();
        watched.read(PAGE as u64, &mut read).unwrap();
        watched.set_len(2 * PAGE as u64).unwrap();
        watched.set_len(5 * PAGE as u64).unwrap();
        watched.read(2 * PAGE as u64, &mut read).unwrap();
        assert_eq!(read, vec![0; 2 * PAGE]);
    }
}
