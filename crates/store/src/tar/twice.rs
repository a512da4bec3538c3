//! Keys that are in several shards: which of the photos is meant, nobody can know.

use crate::catalog::Catalog;
use crate::error::StoreError;
use crate::skip::Skip;

/// Refuses a catalog with such keys. `again` are the members whose name is in their own shard again: there the last
/// counts.
pub(super) fn refuse(catalog: &Catalog, again: u64, location: &str) -> Result<(), StoreError> {
    let count = catalog.skipped().count(Skip::Duplicate).saturating_sub(again);
    if count == 0 {
        return Ok(());
    }
    // Those of one shard are named with it.
    let in_several = catalog.skipped().first(Skip::Duplicate).filter(|name| !name.contains(".tar: "));
    let first = in_several.collect::<Vec<_>>().join(", ");
    Err(StoreError::KeysInSeveralShards { location: location.to_owned(), count, first })
}
