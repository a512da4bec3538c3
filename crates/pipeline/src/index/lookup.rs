//! What the photo index says.

use headwater_cache::NotKept;
use headwater_image::{IndexedJpeg, Unindexable};

/// What the index knows of a photo.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup {
    /// Its re-written form.
    Found(IndexedJpeg),
    /// The photo was tried before and has no indexed form.
    Unindexable(Unindexable),
    /// Nothing.
    Absent,
}

/// What came of keeping a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing is left to do: the photo will be found, or its reason is one that is seen again at once.
    Done,
    /// The photo is not in the index, for this reason; the log says more.
    Not(NotKept),
}
