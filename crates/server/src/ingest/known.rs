//! Whether a dataset has the bytes of a photo already.
//!
//! Photos of the same length are read and compared: of a million photos a few have the length of any other. So nothing
//! is kept beside the catalog, and what is found is what is there.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use headwater_store::Catalog;
use headwater_types::{Digest, FailureKind, SampleFailure, SampleIndex, SampleKey};

use crate::generation::Generation;

/// The photos of a generation by their lengths.
#[derive(Default)]
pub(super) struct Known(Mutex<Option<(Digest, Arc<Lengths>)>>);

/// Length and index of each photo, sorted.
struct Lengths(Vec<(u64, u64)>);

// === impl Known ===

impl Known {
    /// The key of a photo of the generation that has these bytes.
    ///
    /// # Errors
    /// A photo of that length that cannot be read just now.
    pub(super) async fn find(
        &self,
        generation: &Arc<Generation>,
        bytes: &Bytes,
    ) -> Result<Option<SampleKey>, SampleFailure> {
        let lengths = self.lengths(generation).await?;
        for index in lengths.of(bytes.len() as u64) {
            let Some(extent) = generation.catalog().extent(index) else { continue };
            match generation.pipeline.store.read(&extent).await {
                Ok(there) if there == *bytes => return Ok(generation.catalog().key(index)),
                Err(failure) if failure.is_retryable() && failure.kind != FailureKind::Changed => return Err(failure),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(None)
    }

    async fn lengths(&self, generation: &Arc<Generation>) -> Result<Arc<Lengths>, SampleFailure> {
        let digest = generation.digest();
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, lengths)) = held.filter(|(of, _)| *of == digest) {
            return Ok(lengths);
        }
        let of = Arc::clone(generation);
        let made = tokio::task::spawn_blocking(move || Arc::new(Lengths::new(of.catalog()))).await;
        let made = made.map_err(|error| SampleFailure::new(FailureKind::Unavailable, error.to_string()))?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((digest, Arc::clone(&made)));
        Ok(made)
    }
}

// === impl Lengths ===

impl Lengths {
    fn new(catalog: &Catalog) -> Self {
        let mut all: Vec<_> = catalog.iter().map(|(index, entry)| (entry.version.size().get(), index.0)).collect();
        all.sort_unstable();
        Self(all)
    }

    fn of(&self, length: u64) -> impl Iterator<Item = SampleIndex> + '_ {
        let first = self.0.partition_point(|(other, _)| *other < length);
        let of_length = self.0[first..].iter().take_while(move |(other, _)| *other == length);
        of_length.map(|(_, index)| SampleIndex(*index))
    }
}

#[cfg(test)]
mod tests {
    use headwater_store::{CatalogBuilder, Files, Version};
    use headwater_types::Partition;

    use super::*;

    #[test]
    fn photos_are_found_by_their_length() {
        let mut found = CatalogBuilder::new(Partition::ALL, Files::All);
        for (key, size) in [("a", 5), ("b", 7), ("c", 5), ("d", 9)] {
            found.push(key, Version::of_file(size, 0, 0)).unwrap();
        }
        let lengths = Lengths::new(&found.finish());
        let of = |length| lengths.of(length).map(|index| index.0).collect::<Vec<_>>();
        assert_eq!([of(5), of(7), of(9), of(4), of(6), of(10)], [vec![0, 2], vec![1], vec![3], vec![], vec![], vec![]]);
    }
}
