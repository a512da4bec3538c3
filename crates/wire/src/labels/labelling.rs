//! How far a labelling is, as it travels.

use std::time::Duration;

use headwater_types::{DatasetName, Digest, FailureKind, ModelName};

use super::relabel::parsed;
use crate::failure::{kind_from, kind_to};
use crate::proto;
use crate::request::digest_from;
use crate::status::Invalid;

/// One labelling: a dataset, a model, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelling {
    /// The dataset that is labelled.
    pub dataset: DatasetName,
    /// The model or head that labels it.
    pub model: ModelName,
    /// Digest of the labeller as a whole, by which samples are skipped; `None` before it was opened.
    pub digest: Option<Digest>,
    /// Digest of the file that decides of the classes; `None` before it was opened.
    pub model_digest: Option<Digest>,
    /// How it is.
    pub state: LabellingState,
    /// What it waits for, or why it has failed; empty where there is nothing to say.
    pub reason: String,
    /// Samples of the dataset's generation.
    pub samples: u64,
    /// Samples that got labels.
    pub labelled: u64,
    /// Samples that had labels, or had failed, before.
    pub skipped: u64,
    /// Samples that failed.
    pub failed: u64,
    /// Samples that needed their pixels.
    pub decoded: u64,
    /// Samples that were changed or gone when their turn came.
    pub changed: u64,
    /// Time in which it ran.
    pub ran: Duration,
    /// The failures, by kind.
    pub failures: Vec<FailuresOfKind>,
}

/// Failures of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailuresOfKind {
    /// What went wrong.
    pub kind: FailureKind,
    /// With how many samples.
    pub count: u64,
    /// The keys of the first of them.
    pub first_keys: Vec<String>,
}

/// How a labelling is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabellingState {
    /// It waits for another labelling, or for the dataset.
    Waiting,
    /// It runs.
    Running,
    /// It rests until it is resumed.
    Paused,
    /// Every sample is labelled or has failed.
    Done,
    /// Somebody ended it.
    Cancelled,
    /// It could not go on.
    Failed,
    /// The server is stopping; it goes on at the next start.
    Stopping,
}

/// Most kinds of failures, and most keys of each, that are taken from a server.
const MAX_LINES: usize = 64;
/// Most characters of a reason that are taken from a server.
const MAX_REASON_CHARS: usize = 2000;

// === impl LabellingState ===

impl LabellingState {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Waiting, Self::Running, Self::Paused, Self::Done, Self::Cancelled, Self::Failed, Self::Stopping];

    /// The state's name for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Stopping => "stopping",
        }
    }

    /// Whether nothing more comes of it.
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Failed)
    }

    const fn to_proto(self) -> proto::LabellingState {
        match self {
            Self::Waiting => proto::LabellingState::Waiting,
            Self::Running => proto::LabellingState::Running,
            Self::Paused => proto::LabellingState::Paused,
            Self::Done => proto::LabellingState::Done,
            Self::Cancelled => proto::LabellingState::Cancelled,
            Self::Failed => proto::LabellingState::Failed,
            Self::Stopping => proto::LabellingState::Stopping,
        }
    }
}

impl From<Labelling> for proto::Labelling {
    fn from(labelling: Labelling) -> Self {
        let bytes = |digest: Option<Digest>| digest.map(|digest| digest.as_bytes().to_vec().into()).unwrap_or_default();
        Self {
            dataset: labelling.dataset.to_string(),
            model: labelling.model.to_string(),
            digest: bytes(labelling.digest),
            model_digest: bytes(labelling.model_digest),
            state: labelling.state.to_proto().into(),
            reason: labelling.reason,
            samples: labelling.samples,
            labelled: labelling.labelled,
            skipped: labelling.skipped,
            failed: labelling.failed,
            decoded: labelling.decoded,
            changed: labelling.changed,
            milliseconds: u64::try_from(labelling.ran.as_millis()).unwrap_or(u64::MAX),
            failures: labelling.failures.into_iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<proto::Labelling> for Labelling {
    type Error = Invalid;

    fn try_from(labelling: proto::Labelling) -> Result<Self, Invalid> {
        let state = LabellingState::ALL.into_iter().find(|state| state.to_proto() == labelling.state());
        if labelling.failures.len() > MAX_LINES {
            return Err(Invalid::new(format!("{} kinds of failures", labelling.failures.len())));
        }
        Ok(Self {
            dataset: parsed(&labelling.dataset)?,
            model: parsed(&labelling.model)?,
            digest: digest_from(&labelling.digest)?,
            model_digest: digest_from(&labelling.model_digest)?,
            state: state.ok_or_else(|| Invalid::new("the state of a labelling is none"))?,
            reason: labelling.reason.chars().take(MAX_REASON_CHARS).collect(),
            samples: labelling.samples,
            labelled: labelling.labelled,
            skipped: labelling.skipped,
            failed: labelling.failed,
            decoded: labelling.decoded,
            changed: labelling.changed,
            ran: Duration::from_millis(labelling.milliseconds),
            failures: labelling.failures.into_iter().map(Into::into).collect(),
        })
    }
}

impl From<FailuresOfKind> for proto::LabellingFailures {
    fn from(failures: FailuresOfKind) -> Self {
        let FailuresOfKind { kind, count, first_keys } = failures;
        Self { kind: kind_to(kind).into(), count, first_keys }
    }
}

impl From<proto::LabellingFailures> for FailuresOfKind {
    fn from(failures: proto::LabellingFailures) -> Self {
        let kind = kind_from(failures.kind());
        let proto::LabellingFailures { count, mut first_keys, .. } = failures;
        first_keys.truncate(MAX_LINES);
        Self { kind, count, first_keys }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_labelling_survives_the_wire_in_every_state() {
        for state in LabellingState::ALL {
            let failures = FailuresOfKind { kind: FailureKind::Malformed, count: 2, first_keys: vec!["a.jpg".into()] };
            let labelling = Labelling {
                dataset: "d".parse().unwrap(),
                model: "m".parse().unwrap(),
                digest: Some(Digest::of(b"l")),
                model_digest: None,
                state,
                reason: "why".into(),
                samples: 7,
                labelled: 1,
                skipped: 2,
                failed: 3,
                decoded: 4,
                changed: 5,
                ran: Duration::from_millis(1234),
                failures: vec![failures],
            };
            let written = proto::Labelling::from(labelling.clone());
            assert_eq!(Labelling::try_from(written.clone()), Ok(labelling));
            assert!(Labelling::try_from(proto::Labelling { state: 99, ..written.clone() }).is_err());
            assert!(Labelling::try_from(proto::Labelling { digest: vec![1].into(), ..written }).is_err());
        }
    }
}
