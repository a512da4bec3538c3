//! Which samples are of low importance to a job, as it travels: a bit for each, as in [`crate::cached`].

use headwater_types::caps::{MAX_SAMPLES_PER_CALL, MOST_SUBSTITUTED};
use headwater_types::{Digest, JobName};

use crate::proto;
use crate::request::{Samples, digest_from};
use crate::status::Invalid;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct LowQuery {
    /// The dataset's name.
    pub dataset: String,
    /// The partition's digest that the client expects.
    pub dataset_digest: Option<Digest>,
    /// The job.
    pub job: JobName,
    /// Which part of the samples with a loss is of low importance: above 0, and at most [`MOST_SUBSTITUTED`].
    pub share: f64,
    /// Which samples.
    pub samples: Samples,
}

// === impl LowQuery ===

impl TryFrom<proto::LowRequest> for LowQuery {
    type Error = Invalid;

    fn try_from(request: proto::LowRequest) -> Result<Self, Invalid> {
        let samples = match request.samples {
            Some(proto::low_request::Samples::Range(range)) => Samples::range(range)?,
            Some(proto::low_request::Samples::List(list)) => Samples::List(list.indices),
            None => return Err(Invalid::new("the request names no samples: give a range or a list")),
        };
        if samples.len() > MAX_SAMPLES_PER_CALL {
            let message = format!("{} samples in one call are more than {MAX_SAMPLES_PER_CALL}", samples.len());
            return Err(Invalid::new(message));
        }
        let share = request.share;
        if !(share > 0.0 && share <= MOST_SUBSTITUTED) {
            let message = format!("a share of {share} is none: give one above 0, and at most {MOST_SUBSTITUTED}");
            return Err(Invalid::new(message));
        }
        let (dataset_digest, job) = (digest_from(&request.dataset_digest)?, parse_job(&request.job)?);
        Ok(Self { dataset: request.dataset, dataset_digest, job, share, samples })
    }
}

impl From<LowQuery> for proto::LowRequest {
    fn from(query: LowQuery) -> Self {
        let samples = match query.samples {
            Samples::Range { first, count } => {
                proto::low_request::Samples::Range(proto::SampleRange { first, count: count as u64 })
            }
            Samples::List(indices) => proto::low_request::Samples::List(proto::SampleList { indices }),
        };
        Self {
            dataset: query.dataset,
            dataset_digest: query.dataset_digest.map(|digest| digest.as_bytes().to_vec().into()).unwrap_or_default(),
            job: query.job.to_string(),
            share: query.share,
            samples: Some(samples),
        }
    }
}

pub(crate) fn parse_job(text: &str) -> Result<JobName, Invalid> {
    text.parse().map_err(|error| Invalid::new(format!("{error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_survives_the_wire_and_what_breaks_the_rules_is_refused() {
        for samples in [Samples::Range { first: 3, count: 4 }, Samples::List(vec![5, 1])] {
            let (dataset_digest, job) = (Some(Digest::of(b"d")), "a".parse().unwrap());
            let query = LowQuery { dataset: "d".into(), dataset_digest, job, share: 0.25, samples };
            let sent = proto::LowRequest::from(query.clone());
            assert_eq!(LowQuery::try_from(sent.clone()).unwrap(), query);
            for share in [0.0, -1.0, 0.6, f64::NAN] {
                assert!(LowQuery::try_from(proto::LowRequest { share, ..sent.clone() }).is_err(), "{share}");
            }
            assert!(LowQuery::try_from(proto::LowRequest { job: "a b".into(), ..sent.clone() }).is_err());
            assert!(LowQuery::try_from(proto::LowRequest { samples: None, ..sent }).is_err());
        }
    }
}
