//! Which datasets a server has, and how each of them is.

use headwater_types::{ByteCount, DatasetName, Digest, Partition};

use crate::proto;
use crate::request::digest_from;
use crate::status::Invalid;

/// A dataset of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedDataset {
    /// The dataset's name.
    pub name: DatasetName,
    /// How the dataset is.
    pub state: DatasetState,
    /// What the server is doing about it, or why it cannot be served; empty where there is nothing to say.
    pub reason: String,
    /// What was listed; `None` before that.
    pub listed: Option<ListedDataset>,
}

/// How a dataset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatasetState {
    /// It is being opened or listed for the first time.
    Starting,
    /// It is served.
    Serving,
    /// It cannot be served until somebody mends it.
    NotReady,
}

/// The current generation of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDataset {
    /// Samples of the partition.
    pub samples: u64,
    /// Classes of the partition.
    pub classes: u64,
    /// Stored bytes of the partition.
    pub stored: ByteCount,
    /// What was read of the dataset's own files or objects since the server's start, by listings and for samples.
    pub fetched: ByteCount,
    /// What holds the samples: `folder`, `s3`, `tar`, `parquet`, `idx` or `npy`.
    pub source: String,
    /// Counts the generations since the server's start, from 1.
    pub generation: u64,
    /// BLAKE3 over every key, version and label.
    pub digest: Digest,
    /// Which part of the listing the server serves.
    pub part: Partition,
}

/// Longest source kind that is taken from a server.
const MAX_SOURCE_BYTES: usize = 32;
/// Longest reason that is taken from a server; the rest is cut off.
const MAX_REASON_CHARS: usize = 2000;

// === impl DatasetState ===

impl DatasetState {
    /// The state's name for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Serving => "serving",
            Self::NotReady => "not-ready",
        }
    }
}

// === impl ServedDataset ===

impl From<ServedDataset> for proto::ServedDataset {
    fn from(dataset: ServedDataset) -> Self {
        let state = match dataset.state {
            DatasetState::Starting => proto::DatasetState::Starting,
            DatasetState::Serving => proto::DatasetState::Serving,
            DatasetState::NotReady => proto::DatasetState::NotReady,
        };
        let name = dataset.name.to_string();
        let known = Self { name, state: state.into(), reason: dataset.reason, ..Self::default() };
        let Some(listed) = dataset.listed else { return known };
        Self {
            samples: listed.samples,
            classes: listed.classes,
            stored_bytes: listed.stored.get(),
            fetched_bytes: listed.fetched.get(),
            source: listed.source,
            generation: listed.generation,
            digest: listed.digest.as_bytes().to_vec().into(),
            part: Some(proto::Part { number: listed.part.number(), count: listed.part.count() }),
            ..known
        }
    }
}

impl TryFrom<proto::ServedDataset> for ServedDataset {
    type Error = Invalid;

    fn try_from(dataset: proto::ServedDataset) -> Result<Self, Invalid> {
        let name = dataset.name.parse().map_err(|error| Invalid::new(format!("{error}")))?;
        let state = match dataset.state() {
            proto::DatasetState::Starting => DatasetState::Starting,
            proto::DatasetState::Serving => DatasetState::Serving,
            proto::DatasetState::NotReady => DatasetState::NotReady,
            proto::DatasetState::Unspecified => return Err(Invalid::new(format!("the state of {name} is none"))),
        };
        let reason = dataset.reason.chars().take(MAX_REASON_CHARS).collect();
        let listed = listed(&name, &dataset)?;
        if state == DatasetState::Serving && listed.is_none() {
            return Err(Invalid::new(format!("{name} is served, and its samples have no digest")));
        }
        Ok(Self { name, state, reason, listed })
    }
}

/// What was listed; `None` where there is no digest.
fn listed(name: &DatasetName, dataset: &proto::ServedDataset) -> Result<Option<ListedDataset>, Invalid> {
    let Some(digest) = digest_from(&dataset.digest)? else { return Ok(None) };
    let part = dataset.part.as_ref().and_then(|part| Partition::new(part.number, part.count));
    if dataset.source.len() > MAX_SOURCE_BYTES || dataset.source.contains(char::is_control) {
        return Err(Invalid::new(format!("the source of {name} is none")));
    }
    Ok(Some(ListedDataset {
        samples: dataset.samples,
        classes: dataset.classes,
        stored: ByteCount::new(dataset.stored_bytes),
        fetched: ByteCount::new(dataset.fetched_bytes),
        source: dataset.source.clone(),
        generation: dataset.generation,
        digest,
        part: part.ok_or_else(|| Invalid::new(format!("the part of {name} is none")))?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served() -> ServedDataset {
        let listed = ListedDataset {
            samples: 7,
            classes: 2,
            stored: ByteCount::new(1234),
            fetched: ByteCount::new(5678),
            source: "folder".to_owned(),
            generation: 3,
            digest: Digest::of(b"d"),
            part: Partition::new(1, 2).unwrap(),
        };
        let name = "photos".parse().unwrap();
        ServedDataset { name, state: DatasetState::Serving, reason: String::new(), listed: Some(listed) }
    }

    #[test]
    fn a_served_dataset_survives_the_wire() {
        let broken = ServedDataset {
            state: DatasetState::NotReady,
            reason: "no such folder".to_owned(),
            listed: None,
            ..served()
        };
        let starting = ServedDataset { state: DatasetState::Starting, ..broken.clone() };
        for one in [served(), broken, starting] {
            assert_eq!(ServedDataset::try_from(proto::ServedDataset::from(one.clone())), Ok(one));
        }
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        type Break = fn(&mut proto::ServedDataset);
        let breaks: [Break; 7] = [
            |d| d.name = String::new(),
            |d| d.state = 0,
            |d| d.state = 99,
            |d| d.digest = vec![1].into(),
            |d| d.digest = Vec::new().into(),
            |d| d.part = None,
            |d| d.source = "x".repeat(33),
        ];
        for (number, break_it) in breaks.into_iter().enumerate() {
            let mut dataset = proto::ServedDataset::from(served());
            break_it(&mut dataset);
            assert!(ServedDataset::try_from(dataset).is_err(), "{number}");
        }
    }
}
