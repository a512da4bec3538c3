//! A report of losses, checked.

use std::time::Duration;

use headwater_types::caps::MAX_LOSSES_PER_CALL;
use headwater_types::{Digest, JobName, SampleKey};

use crate::proto;
use crate::request::digest_from;
use crate::status::Invalid;

/// A request that reports how much samples mattered to a training job, by their losses.
#[derive(Clone, Debug, PartialEq)]
pub struct LossReport {
    /// The dataset's name.
    pub dataset: String,
    /// The partition's digest that the client expects.
    pub dataset_digest: Option<Digest>,
    /// The samples that were trained on.
    pub samples: Which,
    /// The loss of each sample, in the order of `samples`; every loss is finite.
    pub losses: Vec<f32>,
    /// The job that they are of; of no job, they count for as long as the server runs.
    pub job: Option<JobName>,
    /// How long they count if the job says nothing more.
    pub lease: Duration,
}

/// How long losses count where a report does not say it: longer than a validation between two epochs.
pub const LOSSES_LEASE: Duration = Duration::from_secs(600);

/// Samples of a partition, by one kind of name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The samples' indices in the partition.
    Indices(Vec<u64>),
    /// The samples' keys.
    Keys(Vec<SampleKey>),
}

// === impl LossReport ===

impl TryFrom<proto::ReportRequest> for LossReport {
    type Error = Invalid;

    fn try_from(request: proto::ReportRequest) -> Result<Self, Invalid> {
        let proto::ReportRequest { dataset, dataset_digest, indices, keys, losses, job, lease_milliseconds } = request;
        if losses.len() > MAX_LOSSES_PER_CALL {
            let message = format!("{} losses in one call are more than {MAX_LOSSES_PER_CALL}", losses.len());
            return Err(Invalid::new(message));
        }
        if !indices.is_empty() && !keys.is_empty() {
            return Err(Invalid::new("a report names its samples by index or by key, not by both"));
        }
        let named = indices.len() + keys.len();
        if named != losses.len() {
            return Err(Invalid::new(format!("a report of {} losses names {named} samples", losses.len())));
        }
        if losses.iter().any(|loss| !loss.is_finite()) {
            return Err(Invalid::new("a loss is not a finite number"));
        }
        let samples = match keys.is_empty() {
            true => Which::Indices(indices),
            false => {
                let key = |text: String| text.parse().map_err(|error| Invalid::new(format!("{error}")));
                Which::Keys(keys.into_iter().map(key).collect::<Result<_, _>>()?)
            }
        };
        let job = (!job.is_empty()).then(|| job.parse().map_err(|error| Invalid::new(format!("{error}"))));
        let lease = match lease_milliseconds {
            0 => LOSSES_LEASE,
            milliseconds => Duration::from_millis(milliseconds),
        };
        let dataset_digest = digest_from(&dataset_digest)?;
        Ok(Self { dataset, dataset_digest, samples, losses, job: job.transpose()?, lease })
    }
}

impl From<LossReport> for proto::ReportRequest {
    fn from(report: LossReport) -> Self {
        let LossReport { dataset, dataset_digest, samples, losses, job, lease } = report;
        let (indices, keys) = match samples {
            Which::Indices(indices) => (indices, Vec::new()),
            Which::Keys(keys) => (Vec::new(), keys.iter().map(|key| key.as_str().to_owned()).collect()),
        };
        let dataset_digest = dataset_digest.map(|digest| digest.as_bytes().to_vec().into()).unwrap_or_default();
        let job = job.map(|job| job.as_str().to_owned()).unwrap_or_default();
        let lease_milliseconds = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
        Self { dataset, dataset_digest, indices, keys, losses, job, lease_milliseconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(samples: Which, losses: &[f32]) -> proto::ReportRequest {
        let (dataset_digest, losses) = (Some(Digest::of(b"x")), losses.to_vec());
        let (job, lease) = (Some("job-1".parse().unwrap()), Duration::from_secs(5));
        LossReport { dataset: "d".into(), dataset_digest, samples, losses, job, lease }.into()
    }

    #[test]
    fn a_report_reads_back_as_it_was_written() {
        for samples in [Which::Indices(vec![3, 1]), Which::Keys(vec!["a/1".parse().unwrap(), "b".parse().unwrap()])] {
            let request = report(samples.clone(), &[0.5, -1.0]);
            let read = LossReport::try_from(request.clone()).unwrap();
            assert_eq!(read.samples, samples);
            assert_eq!((read.job.unwrap().as_str(), read.lease), ("job-1", Duration::from_secs(5)));
            let silent = proto::ReportRequest { job: String::new(), lease_milliseconds: 0, ..request };
            let read = LossReport::try_from(silent).unwrap();
            assert_eq!((read.job, read.lease), (None, LOSSES_LEASE));
        }
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        let good = report(Which::Indices(vec![0]), &[1.0]);
        let refused = |request: proto::ReportRequest| LossReport::try_from(request).unwrap_err().to_string();
        let lengths = refused(proto::ReportRequest { losses: vec![], ..good.clone() });
        assert_eq!(lengths, "a report of 0 losses names 1 samples");
        assert!(refused(proto::ReportRequest { losses: vec![f32::NAN], ..good.clone() }).contains("finite"));
        assert!(refused(proto::ReportRequest { keys: vec!["a".into()], ..good.clone() }).contains("not by both"));
        assert!(refused(proto::ReportRequest { job: "/".into(), ..good.clone() }).contains("job name"));
        let outside = proto::ReportRequest { indices: vec![], keys: vec!["../a".into()], ..good.clone() };
        assert!(refused(outside).contains(".."));
        let many = vec![0; MAX_LOSSES_PER_CALL + 1];
        let losses = vec![0.0; many.len()];
        assert!(refused(proto::ReportRequest { indices: many, losses, ..good }).contains("more than"));
    }
}
