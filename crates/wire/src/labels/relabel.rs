//! A request to have samples labelled, checked.

use headwater_types::caps::MAX_TOP_K;
use headwater_types::{DatasetName, ModelName};

use crate::proto;
use crate::status::Invalid;

/// A dataset, the model that is to label it, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relabel {
    /// The dataset.
    pub dataset: DatasetName,
    /// The model or head.
    pub model: ModelName,
    /// Classes that are kept of each sample.
    pub top_k: u32,
    /// Whether samples that have failed before are tried again.
    pub retry_failed: bool,
    /// Part of the model's places that it takes while clients read, in percent.
    pub share_percent: u32,
    /// Whether what this labeller has said of the dataset is forgotten first.
    pub from_scratch: bool,
}

/// Classes that are kept where a request does not say it.
pub const TOP_K: u32 = 5;
/// The part that is taken where a request does not say it.
pub const SHARE_PERCENT: u32 = 25;

// === impl Relabel ===

impl Relabel {
    /// The labelling that a request means which says no more than this.
    pub fn new(dataset: DatasetName, model: ModelName) -> Self {
        let (top_k, share_percent) = (TOP_K, SHARE_PERCENT);
        Self { dataset, model, top_k, retry_failed: false, share_percent, from_scratch: false }
    }
}

impl TryFrom<proto::RelabelRequest> for Relabel {
    type Error = Invalid;

    fn try_from(request: proto::RelabelRequest) -> Result<Self, Invalid> {
        let proto::RelabelRequest { dataset, model, top_k, retry_failed, share_percent, from_scratch } = request;
        let top_k = if top_k == 0 { TOP_K } else { top_k };
        let share_percent = if share_percent == 0 { SHARE_PERCENT } else { share_percent };
        if top_k as usize > MAX_TOP_K {
            return Err(Invalid::new(format!("{top_k} classes of each sample are more than {MAX_TOP_K}")));
        }
        if share_percent > 100 {
            return Err(Invalid::new(format!("a share of {share_percent} % is more than all")));
        }
        Ok(Self {
            dataset: parsed(&dataset)?,
            model: parsed(&model)?,
            top_k,
            retry_failed,
            share_percent,
            from_scratch,
        })
    }
}

impl From<Relabel> for proto::RelabelRequest {
    fn from(relabel: Relabel) -> Self {
        let Relabel { dataset, model, top_k, retry_failed, share_percent, from_scratch } = relabel;
        Self {
            dataset: dataset.to_string(),
            model: model.to_string(),
            top_k,
            retry_failed,
            share_percent,
            from_scratch,
        }
    }
}

/// A name, as it came.
pub(super) fn parsed<T>(text: &str) -> Result<T, Invalid>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    text.parse().map_err(|error| Invalid::new(format!("{error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_back_as_it_was_written_and_what_is_left_out_has_a_value() {
        let (dataset, model) = ("d".parse().unwrap(), "m".parse().unwrap());
        let relabel = Relabel { dataset, model, top_k: 3, retry_failed: true, share_percent: 50, from_scratch: true };
        let written = proto::RelabelRequest::from(relabel.clone());
        assert_eq!(Relabel::try_from(written.clone()), Ok(relabel));
        let silent = proto::RelabelRequest { top_k: 0, share_percent: 0, ..written };
        let read = Relabel::try_from(silent).unwrap();
        assert_eq!((read.top_k, read.share_percent), (5, 25));
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        let good = proto::RelabelRequest { dataset: "d".into(), model: "m".into(), ..Default::default() };
        let refused = |request: proto::RelabelRequest| Relabel::try_from(request).unwrap_err().to_string();
        assert!(refused(proto::RelabelRequest { top_k: 65, ..good.clone() }).contains("more than 64"));
        assert!(refused(proto::RelabelRequest { share_percent: 101, ..good.clone() }).contains("more than all"));
        assert!(refused(proto::RelabelRequest { model: "a b".into(), ..good.clone() }).contains("model name"));
        assert!(refused(proto::RelabelRequest { dataset: String::new(), ..good }).contains("dataset name"));
    }
}
