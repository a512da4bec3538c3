//! The index of a storage node.
//!
//! ```text
//!  runs   run ─▶ dataset, labeller, begun          tails   run ─▶ blocks begun, rows that are not dead
//!  blocks (run, block) ─▶ up to 256 rows           dead    (run, block) ─▶ a bit for each dead row
//!  jobs   id ─▶ what a server keeps of a job       file    version of all this, number of the next run
//! ```
//!
//! The rows of one call lie together, and those of the next are added to the same block while it has room: so many
//! small calls leave as few blocks as one large one. A row is never moved and a block's number never given again, so
//! that a place is good as long as its run is.
//!
//! # Why blocks, and not an entry for each photo?
//!
//! An entry for each photo has its whole key, a head and a checksum of its own, and no neighbour to be packed with: 98
//! bytes of key, version and five labels before what the tree adds, where a photo takes 64 in blocks.
//! `scripts/bench labels` says what it is here.

mod append;
mod jobs;
mod reading;
mod runs;
mod show;
mod writer;

use std::path::Path;
use std::sync::atomic::AtomicU32;

use headwater_types::ByteCount;

use crate::database::{Database, Opener};
use crate::error::{LabelError, MovedAside};

pub use show::Read;

/// What models said of the photos of a node, in one file. Every call blocks on the disk. Calls of several threads at
/// once are good, and those that read do not wait for those that write.
///
/// After an error of the disk, the next call opens the file again. A file that is found broken is moved aside and begun
/// anew: at the start [`Opened::moved_aside`] says so, later [`LabelError::Broken`].
#[derive(Debug)]
pub struct LabelIndex {
    database: Database,
    /// Above every run that was ever begun here: where the file is begun anew, nobody's run becomes another's.
    next_run: AtomicU32,
}

/// An index that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The index.
    pub index: LabelIndex,
    /// The broken one that was in its place.
    pub moved_aside: Option<MovedAside>,
}

// === impl LabelIndex ===

impl LabelIndex {
    /// Opens the index of a folder, or makes both, for this user alone: keys say what photos there are. The whole file
    /// is verified.
    ///
    /// # Errors
    /// A folder that somebody has open, and what the disk refuses.
    pub fn open(folder: &Path) -> Result<Opened, LabelError> {
        Self::open_with(folder, Database::of_disk())
    }

    pub(crate) fn open_with(folder: &Path, opener: Opener) -> Result<Opened, LabelError> {
        let (database, moved_aside) = Database::open(folder, opener)?;
        Ok(Opened { index: Self { database, next_run: AtomicU32::new(0) }, moved_aside })
    }

    /// The bytes that the index's file takes on the disk.
    pub fn bytes_on_disk(&self) -> ByteCount {
        self.database.folder().bytes()
    }
}

#[cfg(test)]
mod tests;
