//! How samples travel without a plan.

use std::sync::Arc;

use headwater_client::{Dataset, Partition, Ways};
use headwater_types::Way;

use crate::target::Making;

/// The ways of all samples without a plan: features from servers that make them, stored photos from all others.
pub(crate) fn plain(dataset: &Dataset, making: Making<'_>) -> Ways {
    let Making::Features { .. } = making else { return Way::ENCODED.into() };
    let ways = dataset.partitions().iter().enumerate().flat_map(|(place, partition): (usize, &Partition)| {
        let features = making.infers(place) && partition.cpu_workers > 0;
        let way = if features { Way::FEATURES } else { Way::ENCODED };
        std::iter::repeat_n(way, usize::try_from(partition.samples).unwrap_or(usize::MAX))
    });
    let ways: Arc<[Way]> = ways.collect();
    match ways.first() {
        Some(&first) if ways.iter().any(|&way| way != first) => Ways::PerSample(ways),
        first => first.copied().unwrap_or(Way::ENCODED).into(),
    }
}
