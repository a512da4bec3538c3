//! A labelling whose features the client brings: what it lacks, page by page.

use headwater_types::caps::LABELLING_PAGE;
use headwater_types::{Digest, SampleIndex};

use super::relabel::Relabel;
use crate::proto;
use crate::request::digest_from;
use crate::status::Invalid;

/// A labelling that is to be opened, and the page of samples that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenLabelling {
    /// The labelling.
    pub labelling: Relabel,
    /// The first sample of the page.
    pub first: u64,
    /// What the client would bring.
    pub features: FeaturesOf,
}

/// Whose features a client brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeaturesOf {
    /// Digest of the file of the model that makes them.
    pub model: Digest,
    /// The output that is taken.
    pub output: String,
}

/// A labelling that is open, and which samples of a page it lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedLabelling {
    /// The partition that is labelled.
    pub dataset_digest: Digest,
    /// Samples of the partition.
    pub samples: u64,
    /// The labeller.
    pub labeller: LabellerDigests,
    /// A bit for each sample of the page, the lowest of a byte first: 1 where it is to be labelled.
    pub wanted: Vec<u8>,
}

/// By what a labeller is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabellerDigests {
    /// Of the labeller as a whole, by which samples are skipped.
    pub digest: Digest,
    /// Of the file that decides of the classes.
    pub model: Digest,
}

// === impl OpenedLabelling ===

impl OpenedLabelling {
    /// The bits of samples, the first one's first.
    pub fn bits(wanted: impl ExactSizeIterator<Item = bool>) -> Vec<u8> {
        let mut bits = vec![0; wanted.len().div_ceil(8)];
        wanted.enumerate().filter(|(_, is)| *is).for_each(|(at, _)| bits[at / 8] |= 1 << (at % 8));
        bits
    }

    /// The samples of the page from `first` on that are to be labelled.
    pub fn lacking(&self, first: u64) -> impl Iterator<Item = SampleIndex> {
        let page = self.samples.saturating_sub(first).min(LABELLING_PAGE);
        let is_wanted = |at: &u64| self.wanted.get((at / 8) as usize).is_some_and(|byte| byte >> (at % 8) & 1 == 1);
        (0..page).filter(is_wanted).map(move |at| SampleIndex(first + at))
    }

    /// The first sample of the page after this one; `None` behind the last.
    pub fn next_page(&self, first: u64) -> Option<u64> {
        first.checked_add(LABELLING_PAGE).filter(|next| *next < self.samples)
    }
}

impl From<OpenLabelling> for proto::OpenLabellingRequest {
    fn from(OpenLabelling { labelling, first, features }: OpenLabelling) -> Self {
        let FeaturesOf { model, output } = features;
        Self { labelling: Some(labelling.into()), first, extractor_digest: bytes(model), output }
    }
}

impl TryFrom<proto::OpenLabellingRequest> for OpenLabelling {
    type Error = Invalid;

    fn try_from(request: proto::OpenLabellingRequest) -> Result<Self, Invalid> {
        let labelling = request.labelling.ok_or_else(|| Invalid::new("a labelling of nothing"))?;
        let features = FeaturesOf { model: digest(&request.extractor_digest)?, output: request.output };
        Ok(Self { labelling: labelling.try_into()?, first: request.first, features })
    }
}

impl From<OpenedLabelling> for proto::OpenedLabelling {
    fn from(OpenedLabelling { dataset_digest, samples, labeller, wanted }: OpenedLabelling) -> Self {
        let LabellerDigests { digest, model } = labeller;
        Self {
            dataset_digest: bytes(dataset_digest),
            samples,
            digest: bytes(digest),
            model_digest: bytes(model),
            wanted: wanted.into(),
        }
    }
}

impl TryFrom<proto::OpenedLabelling> for OpenedLabelling {
    type Error = Invalid;

    fn try_from(opened: proto::OpenedLabelling) -> Result<Self, Invalid> {
        if opened.wanted.len() as u64 > LABELLING_PAGE / 8 {
            return Err(Invalid::new(format!("a page of {} bytes is more than one", opened.wanted.len())));
        }
        let labeller = LabellerDigests { digest: digest(&opened.digest)?, model: digest(&opened.model_digest)? };
        let dataset_digest = digest(&opened.dataset_digest)?;
        Ok(Self { dataset_digest, samples: opened.samples, labeller, wanted: opened.wanted.into() })
    }
}

pub(super) fn bytes(digest: Digest) -> bytes::Bytes {
    digest.as_bytes().to_vec().into()
}

/// A digest that has to be there.
pub(super) fn digest(bytes: &[u8]) -> Result<Digest, Invalid> {
    digest_from(bytes)?.ok_or_else(|| Invalid::new("a labelling without a digest"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(wanted: &[bool]) -> OpenedLabelling {
        let labeller = LabellerDigests { digest: Digest::of(b"l"), model: Digest::of(b"f") };
        let wanted_bits = OpenedLabelling::bits(wanted.iter().copied());
        let (dataset_digest, samples) = (Digest::of(b"d"), wanted.len() as u64);
        OpenedLabelling { dataset_digest, samples, labeller, wanted: wanted_bits }
    }

    #[test]
    fn the_samples_that_are_lacking_survive_the_wire() {
        let wanted: Vec<bool> = (0..19).map(|at| at % 3 == 0 || at == 17).collect();
        let written = proto::OpenedLabelling::from(opened(&wanted));
        assert_eq!(written.wanted.len(), 3);
        let read = OpenedLabelling::try_from(written.clone()).unwrap();
        assert_eq!(read, opened(&wanted));
        let lacking: Vec<u64> = read.lacking(0).map(|sample| sample.0).collect();
        assert_eq!(lacking, [0, 3, 6, 9, 12, 15, 17, 18]);
        for broken in [
            proto::OpenedLabelling { digest: Default::default(), ..written.clone() },
            proto::OpenedLabelling { dataset_digest: vec![1].into(), ..written.clone() },
            proto::OpenedLabelling { wanted: vec![0; (LABELLING_PAGE / 8) as usize + 1].into(), ..written },
        ] {
            assert!(OpenedLabelling::try_from(broken).is_err());
        }
    }

    #[test]
    fn a_question_reads_back_and_says_whose_features_would_be_brought() {
        let labelling = Relabel::new("d".parse().unwrap(), "m".parse().unwrap());
        let features = FeaturesOf { model: Digest::of(b"m"), output: "features".into() };
        let open = OpenLabelling { labelling, first: 7, features };
        let written = proto::OpenLabellingRequest::from(open.clone());
        assert_eq!(OpenLabelling::try_from(written.clone()), Ok(open));
        for broken in [
            proto::OpenLabellingRequest { labelling: None, ..written.clone() },
            proto::OpenLabellingRequest { extractor_digest: Default::default(), ..written },
        ] {
            assert!(OpenLabelling::try_from(broken).is_err());
        }
    }

    #[test]
    fn pages_follow_each_other_to_the_last_and_bits_behind_the_end_name_nothing() {
        let mut all = opened(&[true; 9]);
        all.wanted = vec![255; 2];
        assert_eq!((all.lacking(0).count(), all.next_page(0)), (9, None));
        all.samples = LABELLING_PAGE + 3;
        assert_eq!((all.next_page(0), all.next_page(LABELLING_PAGE)), (Some(LABELLING_PAGE), None));
        let last: Vec<u64> = all.lacking(LABELLING_PAGE).map(|sample| sample.0 - LABELLING_PAGE).collect();
        assert_eq!(last, [0, 1, 2]);
        assert_eq!(all.next_page(u64::MAX), None);
    }
}
