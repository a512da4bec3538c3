//! A disk that took no more photos.

use std::fmt;
use std::path::{Path, PathBuf};

use headwater_cache::NotKept;
use headwater_pipeline::PhotoIndex;
use headwater_types::{ByteCount, shown};
use serde::Serialize;

/// A disk that took no more.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Stopped {
    /// Why: `disk-full`, `free-space`, `quota-full`, `read-only`, `forbidden` ...
    reason: &'static str,
    index_dir: PathBuf,
    /// About how many bytes the photos would take that are not in the index.
    bytes_needed: u64,
    /// Bytes that the disk has left; `null` where it does not say.
    bytes_free: Option<u64>,
    #[serde(skip)]
    why: NotKept,
    #[serde(skip)]
    kept: u64,
    /// The setting that the index's folder comes from.
    #[serde(skip)]
    setting: &'static str,
}

// === impl Stopped ===

impl Stopped {
    /// The index's disk took no more for this reason, when it had taken `kept` photos and the others needed so much.
    /// `setting` is the one that the index's folder comes from.
    pub(super) fn new(
        why: NotKept,
        (setting, index): (&'static str, &PhotoIndex),
        needed: ByteCount,
        kept: u64,
    ) -> Self {
        Self {
            reason: why.as_str(),
            index_dir: index.cache().shared().folder().map(Path::to_owned).unwrap_or_default(),
            bytes_needed: needed.get(),
            bytes_free: index.cache().shared().disk_free().map(ByteCount::get),
            why,
            kept,
            setting,
        }
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index_dir, bytes_needed, why, kept, setting, .. } = self;
        let words = match why {
            NotKept::Disk(fault) => fault.words(),
            _ => Some("less of the disk is free than is to stay free"),
        };
        let words = words.unwrap_or("it could not be written, see the log");
        let needed = shown::bytes(*bytes_needed);
        write!(f, "{setting} {}: {words}: {kept} photos are in the index and stay there, ", index_dir.display())?;
        match self.bytes_free {
            Some(free) => write!(f, "the others need about {needed} and {} are free: ", shown::bytes(free))?,
            None => write!(f, "the others need about {needed}: ")?,
        }
        write!(f, "{}, and run this again", why.remedy())
    }
}
