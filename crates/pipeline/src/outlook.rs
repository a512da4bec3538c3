//! What is known of a sample's next uses: the seam between those who announce orders and report losses, and the cache.

use headwater_types::SampleIndex;

/// What jobs have said of the samples of one generation of a dataset.
pub trait Outlook: Send + Sync {
    /// When the sample is used next, on a scale that all samples share; `None` where nobody has said.
    fn next_use(&self, index: SampleIndex) -> Option<u64>;

    /// How much the sample matters to its jobs; 1 where nobody has said.
    fn importance(&self, index: SampleIndex) -> f32;
}
