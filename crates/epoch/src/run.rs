//! An epoch from its options to its report.

use headwater_cli::Failures;
use headwater_pilot::shuffled;

use crate::error::EpochError;
use crate::options::EpochOptions;
use crate::prepared::Prepared;
use crate::report::EpochReport;
use crate::stage::StageListener;
use crate::stream::stream;

/// Plans if need be, streams the epoch, and says how it went, with the samples that failed.
///
/// # Errors
/// [`EpochError`]: the servers cannot be asked, nothing can be planned, or samples do not come.
pub async fn run(options: &EpochOptions, listener: StageListener<'_>) -> Result<(EpochReport, Failures), EpochError> {
    let dataset = options.connect(options.limit, options.client()).await?;
    let samples = shuffled(dataset.len(), options.address);
    let prepared = Prepared::new(options, &dataset, &samples, listener).await?;
    let measured = stream(options, &dataset, &samples, &prepared.steering, listener).await?;
    let report = EpochReport::new(options, &dataset, &prepared, &measured);
    Ok((report, measured.failures))
}
