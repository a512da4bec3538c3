//! `Report`: how much samples mattered to a training job, kept as their latest losses.

use std::sync::Arc;

use headwater_types::{Digest, SampleIndex};
use headwater_wire::proto::{ReportRequest, ReportSummary};
use headwater_wire::report::{LossReport, Which};
use tonic::{Request, Status};

use super::desk::{Desk, OfDataset};

pub(super) fn report(desk: &Desk, request: Request<ReportRequest>) -> Result<ReportSummary, Status> {
    let (offer, LossReport { samples, losses, job, lease, .. }) = desk.check(request)?;
    // Losses of an earlier generation are those of the samples with the same keys now.
    let current = offer.served.current().unwrap_or_else(|| Arc::clone(&offer.generation));
    let (catalog, asked) = (current.catalog(), offer.generation.catalog());
    let is_current = Arc::ptr_eq(&current, &offer.generation);
    let indices: Vec<_> = match samples {
        Which::Indices(indices) if is_current => indices.into_iter().map(|index| Some(SampleIndex(index))).collect(),
        Which::Indices(indices) => {
            let find = |index| catalog.find(asked.get(SampleIndex(index))?.key);
            indices.into_iter().map(find).collect()
        }
        // A thousand keys take a quarter of a millisecond.
        Which::Keys(keys) => keys.iter().map(|key| catalog.find(key.as_str())).collect(),
    };
    let known = indices.into_iter().zip(losses).filter_map(|(index, loss)| Some((index?.0, loss)));
    let losses: Vec<_> = known.collect();
    let kept = current.jobs.report(job.as_ref(), lease, &losses);
    // What is cached of these samples is kept by it at once: some milliseconds for as many as a call may have.
    tokio::task::spawn_blocking(move || {
        losses.iter().for_each(|(sample, _)| current.pipeline.look_again(SampleIndex(*sample)));
    });
    Ok(ReportSummary { kept })
}

// === impl LossReport ===

impl OfDataset for LossReport {
    fn dataset(&self) -> &str {
        &self.dataset
    }

    fn dataset_digest(&self) -> Option<Digest> {
        self.dataset_digest
    }
}
