//! What a catalog says of samples, as it travels: keys, labels and stored sizes, in step.

use headwater_types::caps::{MAX_CLASSES, MAX_SAMPLES_PER_CALL};
use headwater_types::{ByteCount, ClassId, Digest, SampleKey};

use crate::proto;
use crate::request::digest_from;
use crate::status::Invalid;

/// A request for a part of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The dataset's name.
    pub dataset: String,
    /// The partition's digest that the client expects.
    pub dataset_digest: Option<Digest>,
    /// The first index.
    pub first: u64,
    /// The number of samples.
    pub count: usize,
}

/// A sample of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The sample's key.
    pub key: SampleKey,
    /// The sample's class.
    pub label: Option<ClassId>,
    /// The sample's stored bytes.
    pub stored: ByteCount,
}

impl TryFrom<proto::ListRequest> for List {
    type Error = Invalid;

    fn try_from(request: proto::ListRequest) -> Result<Self, Invalid> {
        let range = request.range.ok_or_else(|| Invalid::new("the request names no samples: give a range"))?;
        let count = usize::try_from(range.count).unwrap_or(usize::MAX);
        if count > MAX_SAMPLES_PER_CALL {
            return Err(Invalid::new(format!("{count} samples in one call are more than {MAX_SAMPLES_PER_CALL}")));
        }
        let _end = range.first.checked_add(range.count).ok_or_else(|| Invalid::new("the range overflows"))?;
        let dataset_digest = digest_from(&request.dataset_digest)?;
        Ok(Self { dataset: request.dataset, dataset_digest, first: range.first, count })
    }
}

impl From<List> for proto::ListRequest {
    fn from(list: List) -> Self {
        let digest = list.dataset_digest.map(|digest| digest.as_bytes().to_vec().into());
        let range = proto::SampleRange { first: list.first, count: list.count as u64 };
        Self { dataset: list.dataset, dataset_digest: digest.unwrap_or_default(), range: Some(range) }
    }
}

// === impl Listed ===

impl Listed {
    /// A batch as it came: the first index, and its samples.
    ///
    /// # Errors
    /// Columns that are not in step, keys that are none, and labels past every class.
    pub fn read(batch: proto::ListBatch) -> Result<(u64, Vec<Self>), Invalid> {
        let proto::ListBatch { first, keys, labels, stored_bytes } = batch;
        if labels.len() != keys.len() || stored_bytes.len() != keys.len() {
            let message = format!("{} keys, {} labels and {} sizes", keys.len(), labels.len(), stored_bytes.len());
            return Err(Invalid::new(message));
        }
        let each = keys.into_iter().zip(labels).zip(stored_bytes).map(|((key, label), stored)| {
            let key = key.parse().map_err(|error| Invalid::new(format!("{error}")))?;
            if label as usize > MAX_CLASSES {
                return Err(Invalid::new(format!("{label} is past every label")));
            }
            Ok(Self { key, label: label.checked_sub(1).map(ClassId), stored: ByteCount::new(stored) })
        });
        Ok((first, each.collect::<Result<_, _>>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> proto::ListBatch {
        let keys = vec!["red/a.jpg".to_owned(), "flat.jpg".to_owned()];
        proto::ListBatch { first: 7, keys, labels: vec![1, 0], stored_bytes: vec![1234, 0] }
    }

    #[test]
    fn a_listing_survives_the_wire() {
        let list = List { dataset: "d".into(), dataset_digest: Some(Digest::of(b"d")), first: 3, count: 4 };
        assert_eq!(List::try_from(proto::ListRequest::from(list.clone())), Ok(list));
        let (first, samples) = Listed::read(batch()).unwrap();
        let shown: Vec<_> = samples.iter().map(|s| (s.key.as_str(), s.label, s.stored.get())).collect();
        assert_eq!((first, shown), (7, vec![("red/a.jpg", Some(ClassId(0)), 1234), ("flat.jpg", None, 0)]));
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        type Break = fn(&mut proto::ListBatch);
        let breaks: [Break; 5] = [
            |b| b.labels.truncate(1),
            |b| b.stored_bytes.push(1),
            |b| b.keys[0] = String::new(),
            |b| b.keys[0] = "../x".into(),
            |b| b.labels[0] = u32::MAX,
        ];
        for (number, break_it) in breaks.into_iter().enumerate() {
            let mut batch = batch();
            break_it(&mut batch);
            assert!(Listed::read(batch).is_err(), "{number}");
        }
        for (first, count) in [(u64::MAX, 2), (0, 1 << 40)] {
            let range = Some(proto::SampleRange { first, count });
            assert!(List::try_from(proto::ListRequest { range, ..proto::ListRequest::default() }).is_err());
        }
        assert!(List::try_from(proto::ListRequest::default()).is_err());
    }
}
