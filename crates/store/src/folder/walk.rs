//! Lists a folder tree with a few threads: one stat a file, no symbolic link to a folder followed but where that is
//! asked for, no special file opened.
//!
//! What waits is bounded by the tree: files wait in at most `LISTING_BACKLOG` batches, folders (a path each) only while
//! their parents' other folders are walked. Depth is bounded by the length of a key.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use headwater_types::SampleKey;
use headwater_types::caps::{LISTING_BACKLOG, LISTING_BATCH, LISTING_THREADS};
use headwater_types::key::from_bytes;
use tracing::debug;

use super::links::{Followed, Step, step};
use super::queue::Queue;
use super::refusal::Refusal;
use crate::catalog::{Catalog, CatalogBuilder};
use crate::error::StoreError;
use crate::files::INCOMING;
use crate::local::{Item, Root, version_of};
use crate::skip::Skip;
use crate::version::Version;

/// Lists everything below `root` into `all`; `path` is for messages.
pub(super) fn list(root: &Root, path: &Path, mut all: CatalogBuilder) -> Result<Catalog, StoreError> {
    let queue = Queue::new(Task::Folder(At { key: Arc::from(""), through: None }), LISTING_BACKLOG);
    thread::scope(|scope| {
        let walkers: Vec<_> = (0..LISTING_THREADS)
            .map(|_| {
                let mut walker = Walker { root, path, queue: &queue, found: all.fork() };
                let walk = move || walker.queue.work(|task| walker.run(task)).map(|()| walker.found);
                thread::Builder::new().name("list".to_owned()).spawn_scoped(scope, walk)
            })
            .collect();
        for walker in walkers {
            let walker = walker.map_err(|source| StoreError::Folder { path: path.to_owned(), source })?;
            let found =
                walker.join().map_err(|_| StoreError::Interrupted { reason: "a thread panicked".to_owned() })?;
            all.absorb(found?)?;
        }
        Ok(all.finish())
    })
}

enum Task {
    /// A folder, to be opened and read.
    Folder(At),
    /// Names found in a folder, to be looked at one by one.
    Batch(At, Vec<Item>),
}

/// A folder that is walked.
#[derive(Clone)]
struct At {
    /// Its path below the root.
    key: Arc<str>,
    /// The last link on the way there.
    through: Option<Arc<Followed>>,
}

/// What a name stands for.
enum Seen {
    File(Version),
    /// A file that is no sample by its name, and was counted.
    LeftOut,
    Folder,
    /// A link to a folder.
    FolderLink,
    Other(Skip),
}

struct Walker<'a> {
    root: &'a Root,
    path: &'a Path,
    queue: &'a Queue<Task>,
    found: CatalogBuilder,
}

// === impl Walker ===

impl Walker<'_> {
    fn run(&mut self, task: Task) -> Result<(), StoreError> {
        match task {
            Task::Folder(at) => self.folder(&at),
            Task::Batch(at, items) => self.batch(&at, &items),
        }
    }

    fn folder(&mut self, at: &At) -> Result<(), StoreError> {
        let folder = &*at.key;
        let items = match self.root.items(folder) {
            Ok(items) => items,
            // Without its root there is no dataset, and no catalog that only looks empty.
            Err(source) if folder.is_empty() => return Err(self.error(folder, source)),
            Err(error) => return self.miss(folder, true, error),
        };
        let mut batch = Vec::new();
        for item in items {
            match item {
                Ok(item) => batch.push(item),
                Err(error) => {
                    self.miss(folder, true, error)?;
                    break;
                }
            }
            if batch.len() == LISTING_BATCH {
                let full = Task::Batch(at.clone(), std::mem::take(&mut batch));
                if let Err(Task::Batch(_, full)) = self.queue.offer(full) {
                    self.batch(at, &full)?;
                }
            }
        }
        self.batch(at, &batch)
    }

    fn batch(&mut self, at: &At, items: &[Item]) -> Result<(), StoreError> {
        let mut key = String::from(&*at.key);
        if !key.is_empty() {
            key.push('/');
        }
        let start = key.len();
        for item in items {
            key.truncate(start);
            key.push_str(&from_bytes(item.name().as_bytes()));
            match key[start..].starts_with('.') {
                // Photos on their way in are nobody's to wonder about.
                true if key == INCOMING => {}
                true => self.found.skip(Skip::Hidden, &key),
                false => self.item(&key, item, at.through.as_ref())?,
            }
        }
        Ok(())
    }

    fn item(&mut self, key: &str, item: &Item, through: Option<&Arc<Followed>>) -> Result<(), StoreError> {
        match self.look(key, item) {
            Ok(Seen::File(version)) => self.found.push(key, version)?,
            Ok(Seen::LeftOut) => {}
            Ok(Seen::Folder) => self.descend(key, through.cloned())?,
            Ok(Seen::FolderLink) => match step(self.root, key, through) {
                Step::Into(link) => self.descend(key, Some(link))?,
                Step::Outside => self.found.skip(Skip::FolderLink, key),
                Step::Loop => self.found.skip(Skip::LinkLoop, key),
            },
            Ok(Seen::Other(reason)) => self.found.skip(reason, key),
            Err(error) => self.miss(key, false, error)?,
        }
        Ok(())
    }

    fn look(&mut self, key: &str, item: &Item) -> io::Result<Seen> {
        let known = item.file_type()?;
        if known.is_dir() {
            return Ok(Seen::Folder);
        }
        if known.is_symlink() {
            return self.look_behind(key);
        }
        if known.is_file() && self.found.leaves_out(key) {
            return Ok(Seen::LeftOut);
        }
        let metadata = item.metadata()?;
        Ok(if metadata.is_file() { Seen::File(version_of(&metadata)) } else { Seen::Other(Skip::Special) })
    }

    /// Resolves a link from the root and not from its folder, so that `../other/photo.jpg` may stay inside.
    fn look_behind(&self, key: &str) -> io::Result<Seen> {
        match self.root.metadata(key) {
            Ok(target) if target.is_file() => Ok(Seen::File(version_of(&target))),
            Ok(target) if target.is_dir() => Ok(Seen::FolderLink),
            Ok(_) => Ok(Seen::Other(Skip::Special)),
            Err(error) if Refusal::of(&error) == Refusal::Absent => Ok(Seen::Other(Skip::BrokenLink)),
            Err(error) => Err(error),
        }
    }

    fn descend(&mut self, folder: &str, through: Option<Arc<Followed>>) -> Result<(), StoreError> {
        if SampleKey::check(folder).is_err() {
            self.found.skip(Skip::Key, folder);
            return Ok(());
        }
        if !folder.contains('/') {
            self.found.folder(folder)?;
        }
        self.queue.push(Task::Folder(At { key: folder.into(), through }));
        Ok(())
    }

    /// Counts what cannot be seen. What is no fault of the dataset ends the listing.
    fn miss(&mut self, key: &str, is_folder: bool, error: io::Error) -> Result<(), StoreError> {
        let reason = match Refusal::of(&error) {
            Refusal::Absent => Skip::Vanished,
            Refusal::Escape => Skip::LinkOut,
            Refusal::Loop => Skip::BrokenLink,
            Refusal::Special => Skip::Special,
            Refusal::Permission | Refusal::Other => return self.found.unreadable(key, is_folder, error),
            Refusal::Exhausted => return Err(self.error(key, error)),
        };
        debug!(key, %error, reason = reason.as_str(), "left out");
        self.found.skip(reason, key);
        Ok(())
    }

    fn error(&self, key: &str, source: io::Error) -> StoreError {
        StoreError::Folder { path: self.path.join(key), source }
    }
}
