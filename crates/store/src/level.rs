//! What stands right under a folder or prefix, as far as names tell: by it is seen what kind of dataset lies there.

use headwater_types::caps::{LEVEL_FOLDERS, LEVEL_NAMES};

use crate::files::Files;
use crate::kind::Kind;
use crate::repack;

/// The names of one level. Hidden ones count for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Level {
    /// Whether there is a photo: nothing behind the first one was looked at.
    pub(crate) has_photos: bool,
    /// The number of shards of each kind, by its position in [`Kind::ALL`].
    pub(crate) shards: [u64; Kind::ALL.len()],
    /// The number of compressed tar files, and the name of one.
    pub(crate) compressed: Option<(u64, String)>,
    /// The names of the first folders in byte order.
    pub(crate) folders: Vec<String>,
    seen: usize,
}

// === impl Level ===

impl Level {
    /// Notes a file or an object.
    pub(crate) fn file(&mut self, name: &str) {
        self.seen += 1;
        if name.starts_with('.') {
            return;
        }
        self.has_photos |= Files::Photos.takes(name);
        if let Some(kind) = Kind::of_shard(name) {
            self.shards[kind as usize] += 1;
        }
        if repack::is_compressed(name) {
            self.compressed.get_or_insert_with(|| (0, name.to_owned())).0 += 1;
        }
    }

    /// Notes a folder.
    pub(crate) fn folder(&mut self, name: &str) {
        self.seen += 1;
        if !name.starts_with('.') {
            let at = self.folders.partition_point(|other| other.as_str() < name);
            self.folders.insert(at, name.to_owned());
            self.folders.truncate(LEVEL_FOLDERS);
        }
    }

    /// Whether looking on is of no use: a photo settles it, and so do very many names without one.
    pub(crate) fn is_settled(&self) -> bool {
        self.has_photos || self.seen >= LEVEL_NAMES
    }

    /// The kinds of which there are shards, and how many: the first is the one that is served. Programs that write tar
    /// shards put a Parquet file of what they know beside each.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = (Kind, u64)> {
        Kind::ALL.into_iter().zip(self.shards).filter(|(_, count)| *count > 0)
    }
}
