//! What was made of photos once, kept on disk so that it is not made again. It knows bytes and kinds, not images.
//!
//! ```text
//!                        ┌─ entry, under its key
//! (kind, dataset, sample key, version) ─▶ EntryKey ─▶ Directory ─▶ frame: header, checksum, bytes ─▶ one file
//!                                                        └─▶ ledger: bytes on disk, by shard
//! ```
//!
//! Invariants: an entry is the bytes that were put under its key, or absent: never a wrong byte, whatever was torn,
//! flipped or put there by somebody else. The files never take more than the limit. Losing the folder loses time, never
//! data.
//!
//! The seam is [`Directory`]: RAM and SSD tiers come behind its `get` and `put`, further kinds as variants of [`Kind`].
//!
//! # Why a file for each entry, and not segments with an index in memory?
//!
//! Measured with 20,000 frames of 22 kB in the page cache: `open`, `read`, `close` 4.4 us, `pread` from one large file
//! 3.2 us; on cores with other work to do, 9 and 6. That is a twentieth to a tenth of what a `jpeg-crop` sample may
//! cost, and [`Directory::get`] adds 1 us for key and checksum to either. For it, the kernel keeps the index, and not
//! every process a copy; several processes share the folder, with `rename` and one lock between those that write; a
//! stale entry is reclaimed by `unlink`, where a segment must be compacted; and a crash can tear nothing but the one
//! file that was being written. What it costs beside: an inode each, and the last block of each file, which the limit
//! counts.

mod kind;

mod key;
mod name;

mod entry;
mod frame;
mod glimpse;

mod not_kept;

mod counters;
mod slots;

mod ledger;
mod living;
mod root;
mod shard;
mod unfinished;

mod disk;
mod error;
#[cfg(test)]
mod faults;
mod modes;

mod directory;

mod flight;
mod latency;
mod outcome;
mod worth;

mod tiered;

pub mod node;

pub use counters::DirectoryCounts;
pub use directory::{Directory, DirectoryLimits};
pub use entry::Entry;
pub use error::DirectoryError;
pub use flight::{Flight, Follow, Lead};
pub use frame::{Frame, FrameError};
pub use glimpse::{Glimpse, GlimpseBuffer};
pub use key::EntryKey;
pub use kind::{Kind, KindName};
pub use latency::{Latency, Source};
pub use living::Living;
pub use name::EntryName;
pub use not_kept::NotKept;
pub use outcome::{CacheCounts, Outcome};
pub use shard::Swept;
pub use tiered::{Cache, CacheError, CacheSettings, SsdSettings};
pub use worth::{Kept, Rejected, Worth};

pub use headwater_policy::{PolicyName, Tier, Usage};
