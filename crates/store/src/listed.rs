//! What came of a listing, whichever kind of store made it: the same checks, and the same lines in the log.

use std::time::Duration;

use headwater_types::{Format, shown};
use tracing::{info, warn};

use crate::catalog::{Catalog, LeftOut, Skipped, by_suffix};
use crate::error::StoreError;
use crate::options::StoreOptions;
use crate::skip::Skip;

/// Logs what a listing found and left out, and gives the catalog if it may be served.
///
/// # Errors
/// Parts that could not be read, and no samples at all.
pub(crate) fn listed(
    location: &str,
    catalog: Catalog,
    options: &StoreOptions,
    took: Duration,
) -> Result<Catalog, StoreError> {
    let skipped = catalog.skipped();
    info!(
        location,
        samples = catalog.len(),
        classes = catalog.classes().len(),
        bytes = catalog.bytes_total().get(),
        memory = catalog.memory().get(),
        digest = catalog.digest().short(),
        skipped = %skipped,
        seconds = took.as_secs_f64(),
        "dataset listed"
    );
    let unreadable = skipped.count(Skip::Unreadable);
    if unreadable > 0 && !options.skip_unreadable {
        let first = skipped.first_and_more(Skip::Unreadable);
        return Err(StoreError::Unreadable { location: location.to_owned(), count: unreadable, first });
    }
    let unknown = skipped.count(Skip::UnknownClass);
    if unknown > 0 {
        let first = skipped.first(Skip::UnknownClass).collect::<Vec<_>>().join(", ");
        return Err(StoreError::UnknownClasses { location: location.to_owned(), count: unknown, first });
    }
    if catalog.is_empty() && skipped.count(Skip::OtherPartition) == 0 {
        return Err(StoreError::NoPhotos { location: location.to_owned(), found: nothing_but(skipped) });
    }
    for LeftOut { reason, count, warning, first, suffixes, .. } in skipped.left_out(catalog.listing().samples) {
        let suffixes = (!suffixes.is_empty()).then_some(suffixes);
        warn!(location, reason = reason.as_str(), count, suffixes, first, "{warning}");
    }
    if catalog.is_empty() {
        warn!(location, partition = %options.partition, "no sample of the dataset is in this partition");
    }
    Ok(catalog)
}

/// What is in a dataset without a sample, in words.
fn nothing_but(skipped: &Skipped) -> String {
    if skipped.iter().next().is_none() {
        return "nothing is there: is it the right place, and mounted?".to_owned();
    }
    let each = skipped.iter().map(|(reason, count)| {
        let suffixes = by_suffix(skipped, reason);
        let suffixes = if suffixes.is_empty() { suffixes } else { format!(": {suffixes}") };
        format!("{count} left out as {}{suffixes} ({})", reason.as_str(), skipped.first_and_more(reason))
    });
    let each = each.collect::<Vec<_>>().join("; ");
    let photos = shown::listed(Format::suffixes().map(|suffix| format!(".{suffix}")), "or");
    format!("{each}. Photos are files named {photos}; --all-files takes every file")
}
