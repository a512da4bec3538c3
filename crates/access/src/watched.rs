//! Something that is made of files, and made anew where they have changed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::AccessError;
use crate::stamp::Stamp;

/// What was made of some files, as they are now or were when they last fitted each other.
#[derive(Debug)]
pub struct Watched<T> {
    files: Vec<PathBuf>,
    held: Mutex<Held<T>>,
}

#[derive(Debug)]
struct Held<T> {
    made: Arc<T>,
    /// Of what it was made, or what could not be used and was complained of.
    seen: Vec<Option<Stamp>>,
}

// === impl Watched ===

impl<T> Watched<T> {
    /// Makes it for the first time.
    ///
    /// # Errors
    /// What `make` finds wrong.
    pub fn new(files: Vec<PathBuf>, make: impl FnOnce() -> Result<T, AccessError>) -> Result<Self, AccessError> {
        // Looked at before they are read: what changes meanwhile is seen the next time.
        let seen = stamps(&files);
        let made = Arc::new(make()?);
        Ok(Self { files, held: Mutex::new(Held { made, seen }) })
    }

    /// What the files make now. Files that cannot be used change nothing, and the log says so once for each state of
    /// them. Blocks while they are looked at, and read where they have changed.
    pub fn now(&self, make: impl FnOnce() -> Result<T, AccessError>) -> Arc<T> {
        let seen = stamps(&self.files);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.seen != seen {
            match make() {
                Ok(made) => {
                    held.made = Arc::new(made);
                    tracing::debug!(files = ?self.files, "read anew");
                }
                Err(error) => tracing::warn!(%error, "what was read before is used on"),
            }
            held.seen = seen;
        }
        Arc::clone(&held.made)
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Option<Stamp>> {
    files.iter().map(|file| Stamp::of(file)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_changes_is_read_anew_and_what_cannot_be_used_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "1").unwrap();
        let make = || {
            let text = fs::read_to_string(&file).unwrap_or_default();
            text.parse::<u32>().map_err(|error| AccessError::Broken {
                setting: "--file",
                path: file.clone(),
                reason: error.to_string(),
            })
        };
        let watched = Watched::new(vec![file.clone()], make).unwrap();
        assert_eq!(*watched.now(|| unreachable!("nothing has changed")), 1);
        fs::write(&file, "two").unwrap();
        assert_eq!(*watched.now(make), 1);
        assert_eq!(*watched.now(|| unreachable!("it was complained of")), 1);
        // Of the same length, and at the same place.
        fs::write(&file, "222").unwrap();
        assert_eq!(*watched.now(make), 222);
        fs::remove_file(&file).unwrap();
        assert_eq!(*watched.now(make), 222);
        let other = folder.path().join("other");
        fs::write(&other, "3").unwrap();
        fs::rename(&other, &file).unwrap();
        assert_eq!(*watched.now(make), 3);
    }
}
