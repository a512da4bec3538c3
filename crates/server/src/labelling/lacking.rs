//! Which samples a labelling lacks, and by what their labels are known.

use headwater_labels::Best;
use headwater_types::{SampleIndex, SampleKey};

use crate::generation::Generation;

/// Whether a sample of which this stands is to be labelled.
pub(super) fn is_lacking(stands: Option<Best>, retry_failed: bool) -> bool {
    match stands {
        None => true,
        Some(Best::Labelled { .. }) => false,
        Some(Best::Failed { .. }) => retry_failed,
    }
}

/// What is written beside a sample's labels; `None` for one that is not there.
pub(super) fn named(generation: &Generation, sample: SampleIndex) -> Option<(SampleKey, [u8; 16])> {
    let entry = generation.catalog().get(sample)?;
    Some((entry.key.parse().ok()?, entry.version.to_bytes()))
}
