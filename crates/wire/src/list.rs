//! What a catalog says of samples, as it travels: keys, labels, stored sizes and fields, in step.

use headwater_types::caps::{MAX_CLASSES, MAX_SAMPLES_PER_CALL};
use headwater_types::{ByteCount, ClassId, Digest, FieldValue, SampleKey};

use crate::field::values_from;
use crate::proto;
use crate::request::{Samples, digest_from};
use crate::status::Invalid;

/// A request for a part of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The dataset's name.
    pub dataset: String,
    /// The partition's digest that the client expects.
    pub dataset_digest: Option<Digest>,
    /// Which samples.
    pub samples: Samples,
    /// The names of the fields that are to come with each.
    pub fields: Vec<String>,
}

/// A sample of a listing.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// The sample's key.
    pub key: SampleKey,
    /// The sample's class.
    pub label: Option<ClassId>,
    /// The sample's stored bytes.
    pub stored: ByteCount,
    /// The values of the fields that were asked for.
    pub fields: Vec<FieldValue>,
}

impl TryFrom<proto::ListRequest> for List {
    type Error = Invalid;

    fn try_from(request: proto::ListRequest) -> Result<Self, Invalid> {
        let samples = match request.samples {
            Some(proto::list_request::Samples::Range(range)) => Samples::range(range)?,
            Some(proto::list_request::Samples::List(list)) => Samples::List(list.indices),
            None => return Err(Invalid::new("the request names no samples: give a range or a list")),
        };
        if samples.len() > MAX_SAMPLES_PER_CALL {
            let message = format!("{} samples in one call are more than {MAX_SAMPLES_PER_CALL}", samples.len());
            return Err(Invalid::new(message));
        }
        let dataset_digest = digest_from(&request.dataset_digest)?;
        Ok(Self { dataset: request.dataset, dataset_digest, samples, fields: request.fields })
    }
}

impl From<List> for proto::ListRequest {
    fn from(list: List) -> Self {
        let digest = list.dataset_digest.map(|digest| digest.as_bytes().to_vec().into());
        let samples = match list.samples {
            Samples::Range { first, count } => {
                proto::list_request::Samples::Range(proto::SampleRange { first, count: count as u64 })
            }
            Samples::List(indices) => proto::list_request::Samples::List(proto::SampleList { indices }),
        };
        let (dataset_digest, samples) = (digest.unwrap_or_default(), Some(samples));
        Self { dataset: list.dataset, dataset_digest, samples, fields: list.fields }
    }
}

// === impl Listed ===

impl Listed {
    /// A batch as it came: the index of its first sample, or that one's place in a list, and its samples.
    ///
    /// # Errors
    /// Columns that are not in step, keys that are none, labels past every class, and fields that no sample has.
    pub fn read(batch: proto::ListBatch) -> Result<(u64, Vec<Self>), Invalid> {
        let proto::ListBatch { first, keys, labels, stored_bytes, mut fields } = batch;
        if fields.is_empty() {
            fields.resize_with(keys.len(), proto::FieldValues::default);
        }
        if labels.len() != keys.len() || stored_bytes.len() != keys.len() || fields.len() != keys.len() {
            let (labels, sizes, fields) = (labels.len(), stored_bytes.len(), fields.len());
            let message = format!("{} keys, {labels} labels, {sizes} sizes and {fields} times fields", keys.len());
            return Err(Invalid::new(message));
        }
        let beside = labels.into_iter().zip(stored_bytes).zip(fields);
        let each = keys.into_iter().zip(beside).map(|(key, ((label, stored), fields))| {
            let key = key.parse().map_err(|error| Invalid::new(format!("{error}")))?;
            if label as usize > MAX_CLASSES {
                return Err(Invalid::new(format!("{label} is past every label")));
            }
            let (label, stored) = (label.checked_sub(1).map(ClassId), ByteCount::new(stored));
            Ok(Self { key, label, stored, fields: values_from(fields.values)? })
        });
        Ok((first, each.collect::<Result<_, _>>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::values_to;

    fn batch() -> proto::ListBatch {
        let keys = vec!["red/a.jpg".to_owned(), "flat.jpg".to_owned()];
        let fields = [FieldValue::Integer(5), FieldValue::Absent].map(|value| values_to(vec![value]));
        let fields = fields.map(|values| proto::FieldValues { values }).into();
        proto::ListBatch { first: 7, keys, labels: vec![1, 0], stored_bytes: vec![1234, 0], fields }
    }

    #[test]
    fn a_listing_survives_the_wire() {
        for samples in [Samples::Range { first: 3, count: 4 }, Samples::List(vec![9, 0, 9])] {
            let (dataset, dataset_digest) = ("d".into(), Some(Digest::of(b"d")));
            let list = List { dataset, dataset_digest, samples, fields: vec!["x".into()] };
            assert_eq!(List::try_from(proto::ListRequest::from(list.clone())), Ok(list));
        }
        let (first, samples) = Listed::read(batch()).unwrap();
        let shown: Vec<_> = samples.iter().map(|s| (s.key.as_str(), s.label, s.stored.get())).collect();
        assert_eq!((first, shown), (7, vec![("red/a.jpg", Some(ClassId(0)), 1234), ("flat.jpg", None, 0)]));
        assert_eq!(samples[0].fields, [FieldValue::Integer(5)]);
        let without = proto::ListBatch { fields: Vec::new(), ..batch() };
        assert!(Listed::read(without).unwrap().1.iter().all(|sample| sample.fields.is_empty()));
    }

    #[test]
    fn what_breaks_the_rules_is_refused() {
        type Break = fn(&mut proto::ListBatch);
        let breaks: [Break; 6] = [
            |b| b.fields.truncate(1),
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
            let samples = Some(proto::list_request::Samples::Range(proto::SampleRange { first, count }));
            assert!(List::try_from(proto::ListRequest { samples, ..proto::ListRequest::default() }).is_err());
        }
        assert!(List::try_from(proto::ListRequest::default()).is_err());
    }
}
