//! What a labelling is to do, as it is kept in the index for the next start of the server.

use headwater_labels::{LabelError, LabelIndex};
use headwater_wire::labels::Relabel;
use headwater_wire::proto;
use prost::Message;

/// A labelling that is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) request: Relabel,
    pub(super) is_paused: bool,
}

// === impl Record ===

impl Record {
    /// Writes it, in the place of an earlier one of the same dataset and model.
    pub(super) fn keep(&self, index: &LabelIndex) -> Result<(), LabelError> {
        let request = proto::RelabelRequest::from(self.request.clone()).encode_to_vec();
        let state = [u8::from(self.is_paused)];
        index.put_job(&id(&self.request), &[&state[..], &request].concat())
    }

    /// Removes the one of a request.
    pub(super) fn remove(request: &Relabel, index: &LabelIndex) -> Result<(), LabelError> {
        index.remove_job(&id(request))
    }

    /// Every record that can be read. What cannot is said, and removed.
    pub(super) fn all(index: &LabelIndex) -> Result<Vec<Self>, LabelError> {
        let mut all = Vec::new();
        for (id, bytes) in index.jobs()? {
            match Self::read(&bytes) {
                Some(record) => all.push(record),
                None => {
                    tracing::warn!(id, "the record of a labelling cannot be read: begin that one anew");
                    index.remove_job(&id)?;
                }
            }
        }
        Ok(all)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (state, request) = bytes.split_first()?;
        let request = proto::RelabelRequest::decode(request).ok()?;
        let is_paused = match state {
            0 => false,
            1 => true,
            _ => return None,
        };
        Some(Self { request: request.try_into().ok()?, is_paused })
    }
}

/// Neither name has a slash.
fn id(request: &Relabel) -> String {
    format!("{}/{}", request.dataset, request.model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back_after_the_index_was_opened_again() {
        let folder = tempfile::TempDir::new().unwrap();
        let request = |dataset: &str| Relabel {
            dataset: dataset.parse().unwrap(),
            model: "m".parse().unwrap(),
            top_k: 3,
            retry_failed: true,
            share_percent: 50,
            from_scratch: false,
        };
        let record = |dataset: &str, is_paused| Record { request: request(dataset), is_paused };
        let open = || LabelIndex::open(folder.path()).unwrap().index;
        {
            let index = open();
            record("a", false).keep(&index).unwrap();
            record("a", true).keep(&index).unwrap();
            record("b", false).keep(&index).unwrap();
            index.put_job("c/m", &[9]).unwrap();
        }
        let index = open();
        assert_eq!(Record::all(&index).unwrap(), [record("a", true), record("b", false)]);
        Record::remove(&request("a"), &index).unwrap();
        assert_eq!(Record::all(&index).unwrap(), [record("b", false)]);
        assert_eq!(index.jobs().unwrap().len(), 1);
    }
}
