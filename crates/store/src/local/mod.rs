//! The files of this machine as every local source sees them: below one root, and only ever read.
//!
//! Invariants: this is the one folder of the crate that opens a dataset's files, and no function of it writes, makes,
//! renames or removes anything. Every path is resolved by the kernel below a root's own handle (`openat2` with
//! `RESOLVE_BENEATH`, or `cap-std`'s walk of single steps where the kernel has none). A check of names beforehand would
//! lose the race against a link that is put in place between check and open; this has no such moment. It refuses
//! absolute link targets even where they point back into the root: a root that is mounted elsewhere tomorrow then
//! behaves as today.
//!
//! Links that lead out of the root are followed where their targets lie below a folder that was named for it: what they
//! lead to is looked up by its path, and then opened below that folder's handle in the same way. So whatever becomes of
//! the links meanwhile, nothing is read but what lies below the root or below such a folder.
//!
//! Paths below a root are keys: a name that is no UTF-8 comes as `headwater_types::key` turns it back.

mod beneath;
mod file;
mod root;

pub(crate) use beneath::Item;
pub(crate) use file::{File, version_of};
pub use root::FollowError;
pub(crate) use root::Root;
