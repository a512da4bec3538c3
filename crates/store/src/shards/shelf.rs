//! What lies in the place of a dataset's shards.

use crate::extent::Extent;
use crate::skip::Skip;

/// What is there, each sorted by its name below the common root.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    /// The shards.
    pub(crate) shards: Vec<Extent>,
    /// Files that are no shards.
    pub(crate) others: Vec<Extent>,
    /// What was left out, and where it is.
    pub(crate) left_out: Vec<(Skip, String)>,
}
