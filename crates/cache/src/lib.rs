//! What was read and made of samples once, kept in memory and on an SSD so that it is neither read nor made again. It
//! knows bytes and kinds, not images.
//!
//! ```text
//!                                 ┌─ entry, under its key
//! (kind, dataset, sample key, version) ─▶ EntryKey ─▶ Cache ─▶ memory, as policy::Tiers says
//!                                                 └────▶ Directory ─▶ frame: header, checksums, bytes ─▶ one file
//!                                                                   └─▶ ledger: bytes on disk, by shard
//! ```
//!
//! Invariants: an entry is the bytes that were put under its key, or absent: never a wrong byte, whatever was torn,
//! flipped or put there by somebody else. Neither memory nor the files ever take more than their limit. An entry that
//! is put is found, or counted as rejected or evicted. Losing the folder loses time, never data.
//!
//! # Why a file for each entry, and not segments with an index in memory?
//!
//! Measured by `examples/file_or_log` against a plain log (segments of 8 MiB, an index in memory and at the end of each
//! segment, compaction below half), one thread, on tmpfs, with this crate at `opt-level = 1`: microseconds of a core
//! for each entry, and bytes on disk for each byte.
//!
//! | entry | | write | read | evict one of the middle | restart | disk |
//! |---|---|---|---|---|---|---|
//! | 784 B (features) | file | 58 to 70 | 13 | 17 | 1.6 | 5.2 |
//! | | log | 5 | 4 | 2 | 4 | 1.15 |
//! | 22 kB (indexed photos) | file | 86 to 100 | 27 | 25 | 1.2 | 1.12 |
//! | | log | 22 to 26 | 14 | 19 | 3.5 | 1.01 |
//! | 110 kB (encoded photos) | file | 163 to 185 | 70 | 26 to 39 | 1.2 | 1.01 |
//! | | log | 109 to 117 | 57 | 80 | 3.5 | 1.00 |
//!
//! (A restart lists the files on several threads, of which one is counted.) A write waits for a new inode beside: on an
//! ext4 from which a million files had just been removed, that alone took 0.3 to 1 ms.
//!
//! Files stay, for what is served most: photos of tens of kilobytes. A read costs 13 us more there, where making the
//! photo again takes 400 us and more, and bringing it from a bucket 5 ms. A write happens once, on a thread of its own.
//! For it, a policy's victim is freed at once and exactly by `unlink`, where a segment has to be compacted, or keeps
//! what the policy wants gone: `planned` and `importance` choose their victims one by one, all over the log. The limit
//! then holds at every moment. Several processes and users share the folder, with the kernel as index, and one lock
//! between those that write. A crash tears nothing but the one file that was being written, and a broken file costs one
//! entry.
//!
//! What is lost: features of 784 B take 5.2 times their bytes and 12 times the time to write. They still come 10 to 100
//! times faster than a model makes them. Where a dataset of features should fit an SSD tightly, a log for entries below
//! a block, beside the files, is what to build next.

mod memory_free;

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
pub use memory_free::{free_memory, memory_limit};
pub use name::EntryName;
pub use not_kept::NotKept;
pub use outcome::{CacheCounts, Outcome};
pub use shard::Swept;
pub use tiered::{Cache, CacheError, CacheSettings, SsdSettings};
pub use worth::{Kept, Rejected, Worth};

pub use headwater_policy::{PolicyName, Tier, Usage};
