//! In which samples' places a job gives others, checked.

use headwater_types::caps::MAX_REPLACED_PER_CALL;
use headwater_types::{Digest, JobName, SampleIndex};

use crate::low::parse_job;
use crate::proto;
use crate::request::digest_from;
use crate::status::Invalid;

/// What a job says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplacedReport {
    /// The dataset's name.
    pub dataset: String,
    /// The partition's digest that the client expects.
    pub dataset_digest: Option<Digest>,
    /// The job.
    pub job: JobName,
    /// The samples that are left out.
    pub samples: Vec<SampleIndex>,
}

// === impl ReplacedReport ===

impl TryFrom<proto::ReplacedRequest> for ReplacedReport {
    type Error = Invalid;

    fn try_from(request: proto::ReplacedRequest) -> Result<Self, Invalid> {
        let count = request.indices.len();
        if count > MAX_REPLACED_PER_CALL {
            return Err(Invalid::new(format!("{count} samples in one call are more than {MAX_REPLACED_PER_CALL}")));
        }
        let (dataset_digest, job) = (digest_from(&request.dataset_digest)?, parse_job(&request.job)?);
        let samples = request.indices.into_iter().map(SampleIndex).collect();
        Ok(Self { dataset: request.dataset, dataset_digest, job, samples })
    }
}

impl From<ReplacedReport> for proto::ReplacedRequest {
    fn from(report: ReplacedReport) -> Self {
        Self {
            dataset: report.dataset,
            dataset_digest: report.dataset_digest.map(|digest| digest.as_bytes().to_vec().into()).unwrap_or_default(),
            job: report.job.to_string(),
            indices: report.samples.into_iter().map(|index| index.0).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_survives_the_wire_and_what_breaks_the_rules_is_refused() {
        let (dataset_digest, samples) = (Some(Digest::of(b"d")), vec![SampleIndex(3), SampleIndex(1)]);
        let report = ReplacedReport { dataset: "d".into(), dataset_digest, job: "a".parse().unwrap(), samples };
        let sent = proto::ReplacedRequest::from(report.clone());
        assert_eq!(ReplacedReport::try_from(sent.clone()).unwrap(), report);
        assert!(ReplacedReport::try_from(proto::ReplacedRequest { job: String::new(), ..sent.clone() }).is_err());
        let indices = vec![0; MAX_REPLACED_PER_CALL + 1];
        assert!(ReplacedReport::try_from(proto::ReplacedRequest { indices, ..sent }).is_err());
    }
}
