//! Something that is made of files, and made anew where they have changed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

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

/// Files that cannot be used, and have not changed for so long, are not in the middle of a change.
const QUIET: Duration = Duration::from_millis(200);
/// How long files that go on changing are waited for.
const MOST: Duration = Duration::from_secs(3);
/// How often it is looked whether they have changed.
const LOOK: Duration = Duration::from_millis(10);

// === impl Watched ===

impl<T> Watched<T> {
    /// Makes it for the first time. Files that cannot be used and are just being changed, as a key whose certificate is
    /// still that of before, are waited for: a program may start in the middle of a rotation.
    ///
    /// # Errors
    /// What `make` finds wrong.
    pub fn new(files: Vec<PathBuf>, make: impl Fn() -> Result<T, AccessError>) -> Result<Self, AccessError> {
        let end = Instant::now() + MOST;
        loop {
            // Looked at before they are read: what changes meanwhile is seen the next time.
            let seen = stamps(&files);
            match make() {
                Ok(made) => return Ok(Self { files, held: Mutex::new(Held { made: Arc::new(made), seen }) }),
                Err(error) if !change(&files, &seen, end) => return Err(error),
                Err(_) => {}
            }
        }
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

/// Whether these files become others than those that were seen, before they have been quiet for a while.
#[expect(clippy::disallowed_methods, reason = "before there is anything to be held up: a program starts")]
fn change(files: &[PathBuf], seen: &[Option<Stamp>], end: Instant) -> bool {
    let end = end.min(Instant::now() + QUIET);
    while seen.iter().all(Option::is_some) && Instant::now() < end {
        if stamps(files) != seen {
            return true;
        }
        std::thread::sleep(LOOK);
    }
    false
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_start_in_the_middle_of_a_change_waits_for_its_end_and_for_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let make = || {
            let text = fs::read_to_string(&file).unwrap_or_default();
            text.parse::<u32>().map_err(|_| AccessError::Empty {
                setting: "--file",
                path: file.clone(),
                wanted: "number",
            })
        };
        let (begun, ready) = std::sync::mpsc::channel();
        let place = &file;
        let watched = std::thread::scope(|scope| {
            scope.spawn(move || {
                // Once it has been read, and found empty.
                ready.recv().unwrap();
                fs::write(place, "12").unwrap();
            });
            Watched::new(vec![file.clone()], || {
                let made = make();
                begun.send(()).ok();
                made
            })
        });
        assert_eq!(*watched.unwrap().now(make), 12);
        fs::write(&file, "a dozen").unwrap();
        assert!(Watched::new(vec![file.clone()], make).is_err());
        fs::remove_file(&file).unwrap();
        let begun = Instant::now();
        assert!(Watched::new(vec![file.clone()], make).is_err());
        assert!(begun.elapsed() < QUIET, "nobody is about to change what is not there");
    }

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
