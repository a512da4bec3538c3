//! What came of one photo.

use headwater_cache::NotKept;
use headwater_image::Unindexable;
use headwater_types::{ByteCount, SampleFailure, SampleIndex, SampleKey};

/// What came of one photo: how many bytes it has as it is stored and as it is re-written, or why it is not in the
/// index.
pub(super) enum Outcome {
    /// The photo was re-written now.
    Rewritten { before: ByteCount, after: ByteCount },
    /// The photo was re-written before.
    AlreadyThere { before: ByteCount, after: ByteCount },
    /// The photo has no indexed form, and is served from its source.
    FellBack(Unindexable),
    /// The photo is not in the index, which is full or cannot be written.
    NotKept(NotKept),
    /// The photo could not be read.
    Failed { at: SampleIndex, key: Option<SampleKey>, failure: SampleFailure },
}
