//! A folder of Parquet parts: features and labels of a dataset, each sample exactly once.
//!
//! Each part answers for a range of global indices, and says so in its footer, with those of them that are still to be extracted
//! where an extraction was stopped; these, and what no part answers for, are missing. No
//! other file is consulted, so there is nothing that could disagree with the parts after a crash.

mod part;

mod file;
mod footer;

mod assembly;
mod coverage;
mod folder;

pub(crate) use assembly::Assembly;
pub(crate) use assembly::Misdelivery;
pub(crate) use coverage::{Missing, Retry, Task, tasks};
pub(crate) use file::{read, read_footer};
pub(crate) use folder::FolderError;
pub(crate) use folder::{Contents, Folder, part_paths as paths};
pub(crate) use part::Part;
