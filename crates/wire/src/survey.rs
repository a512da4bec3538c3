//! What photos' headers say, as it travels: for who plans how to fetch them.

use headwater_types::caps::{MAX_OBJECT, MAX_SAMPLES_PER_CALL};
use headwater_types::format::FormatError;
use headwater_types::{ByteCount, Digest, Format, SampleFailure, SampleIndex, SampleKey, Size};

use crate::proto;
use crate::request::{Samples, digest_from};
use crate::status::Invalid;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Survey {
    /// The dataset's name.
    pub dataset: String,
    /// The partition's digest that the client expects.
    pub dataset_digest: Option<Digest>,
    /// Which samples.
    pub samples: Samples,
}

/// A sample whose header was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Surveyed {
    /// The sample's index in the server's partition.
    pub index: SampleIndex,
    /// The sample's key; `None` for an index that is not in the catalog.
    pub key: Option<SampleKey>,
    /// The sample's stored bytes, as the catalog has them.
    pub stored: ByteCount,
    /// What the photo's header says, or why the header cannot be read.
    pub outcome: Result<PhotoFacts, SampleFailure>,
}

/// What a photo's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhotoFacts {
    /// The photo's format, by content.
    pub format: Format,
    /// The photo's size as stored.
    pub size: Size,
    /// The turn that EXIF asks for, 1 to 8; 1 is none.
    pub orientation: u8,
}

// === impl PhotoFacts ===

impl PhotoFacts {
    /// The photo's size once it is turned as EXIF asks.
    pub fn upright(&self) -> Size {
        let Size { width, height } = self.size;
        if self.orientation >= 5 { Size { width: height, height: width } } else { self.size }
    }
}

impl TryFrom<proto::SurveyRequest> for Survey {
    type Error = Invalid;

    fn try_from(request: proto::SurveyRequest) -> Result<Self, Invalid> {
        let samples = match request.samples {
            Some(proto::survey_request::Samples::Range(range)) => Samples::range(range)?,
            Some(proto::survey_request::Samples::List(list)) => Samples::List(list.indices),
            None => return Err(Invalid::new("the request names no samples: give a range or a list")),
        };
        if samples.len() > MAX_SAMPLES_PER_CALL {
            let message = format!("{} samples in one call are more than {MAX_SAMPLES_PER_CALL}", samples.len());
            return Err(Invalid::new(message));
        }
        Ok(Self { dataset: request.dataset, dataset_digest: digest_from(&request.dataset_digest)?, samples })
    }
}

impl From<Survey> for proto::SurveyRequest {
    fn from(survey: Survey) -> Self {
        let samples = match survey.samples {
            Samples::Range { first, count } => {
                proto::survey_request::Samples::Range(proto::SampleRange { first, count: count as u64 })
            }
            Samples::List(indices) => proto::survey_request::Samples::List(proto::SampleList { indices }),
        };
        let digest = survey.dataset_digest.map(|digest| digest.as_bytes().to_vec().into());
        Self { dataset: survey.dataset, dataset_digest: digest.unwrap_or_default(), samples: Some(samples) }
    }
}

impl From<Surveyed> for proto::SurveyedSample {
    fn from(surveyed: Surveyed) -> Self {
        let known = Self {
            index: surveyed.index.0,
            key: surveyed.key.map(|key| key.as_str().to_owned()).unwrap_or_default(),
            stored_bytes: surveyed.stored.get(),
            ..Self::default()
        };
        match surveyed.outcome {
            Ok(PhotoFacts { format, size, orientation }) => {
                let Size { width, height } = size;
                let format = format.as_str().to_owned();
                Self { format, width, height, orientation: u32::from(orientation), ..known }
            }
            Err(failure) => Self { failure: Some((&failure).into()), ..known },
        }
    }
}

impl TryFrom<proto::SurveyedSample> for Surveyed {
    type Error = Invalid;

    fn try_from(sample: proto::SurveyedSample) -> Result<Self, Invalid> {
        let index = SampleIndex(sample.index);
        let key = (!sample.key.is_empty())
            .then(|| sample.key.parse().map_err(|error| Invalid::new(format!("{error}"))))
            .transpose()?;
        let stored = ByteCount::new(sample.stored_bytes);
        let outcome = match sample.failure {
            Some(status) => Err(status.into()),
            None => Ok(facts(&sample)?),
        };
        if outcome.is_ok() && (key.is_none() || stored > MAX_STORED) {
            return Err(Invalid::new(format!("sample {index}: its key is missing, or its size is none")));
        }
        Ok(Self { index, key, stored, outcome })
    }
}

/// No object of this size was ever read whole: a server may take larger ones than [`MAX_OBJECT`], within reason.
const MAX_STORED: ByteCount = ByteCount::new(MAX_OBJECT.get() * 1024);

fn facts(sample: &proto::SurveyedSample) -> Result<PhotoFacts, Invalid> {
    let wrong = |what: &str| Invalid::new(format!("sample {}: {what}", sample.index));
    let format = sample.format.parse().map_err(|error: FormatError| wrong(&error.to_string()))?;
    let size = Size { width: sample.width, height: sample.height };
    // How large it may be, whoever asked judges by the server's limits.
    if size.pixels() == 0 {
        return Err(wrong("a photo cannot have that size"));
    }
    let orientation = u8::try_from(sample.orientation).ok().filter(|turn| (1..=8).contains(turn));
    Ok(PhotoFacts { format, size, orientation: orientation.ok_or_else(|| wrong("there is no such orientation"))? })
}

#[cfg(test)]
mod tests {
    use headwater_types::FailureKind;

    use super::*;

    fn surveyed() -> Surveyed {
        Surveyed {
            index: SampleIndex(7),
            key: Some("red/a.jpg".parse().unwrap()),
            stored: ByteCount::new(1234),
            outcome: Ok(PhotoFacts { format: Format::WebP, size: Size { width: 640, height: 480 }, orientation: 6 }),
        }
    }

    #[test]
    fn a_survey_survives_the_wire() {
        let digest = Some(Digest::of(b"d"));
        for samples in [Samples::Range { first: 3, count: 4 }, Samples::List(vec![5, 1])] {
            let survey = Survey { dataset: "d".into(), dataset_digest: digest, samples };
            assert_eq!(Survey::try_from(proto::SurveyRequest::from(survey.clone())).unwrap(), survey);
        }
        let failed = Surveyed { outcome: Err(SampleFailure::new(FailureKind::Malformed, "no")), ..surveyed() };
        for one in [surveyed(), failed] {
            assert_eq!(Surveyed::try_from(proto::SurveyedSample::from(one.clone())).unwrap(), one);
        }
        assert_eq!(surveyed().outcome.unwrap().upright(), Size { width: 480, height: 640 });
    }

    #[test]
    fn what_no_header_can_say_is_refused() {
        type Break = fn(&mut proto::SurveyedSample);
        let breaks: [Break; 7] = [
            |s| s.width = 0,
            |s| s.orientation = 0,
            |s| s.orientation = 300,
            |s| s.format = "AVIF".into(),
            |s| s.key = String::new(),
            |s| s.key = "../x".into(),
            |s| s.stored_bytes = u64::MAX,
        ];
        for (number, break_it) in breaks.into_iter().enumerate() {
            let mut sample = proto::SurveyedSample::from(surveyed());
            break_it(&mut sample);
            assert!(Surveyed::try_from(sample).is_err(), "{number}");
        }
        let none = proto::SurveyRequest { dataset: "d".into(), ..proto::SurveyRequest::default() };
        assert!(Survey::try_from(none).is_err());
        let range = proto::SampleRange { first: u64::MAX, count: 2 };
        let samples = Some(proto::survey_request::Samples::Range(range));
        assert!(Survey::try_from(proto::SurveyRequest { samples, ..proto::SurveyRequest::default() }).is_err());
    }
}
