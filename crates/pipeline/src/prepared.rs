//! What comes of a sample: a payload with the memory in which it lies, or why there is none.

use bytes::Bytes;
use headwater_image::{Parts, Payload};
use headwater_types::{
    ByteCount, ClassId, DType, FailureKind, Form, LimitSetting, PixelCoding, Position, SampleFailure, SampleIndex,
    SampleKey, Shape, Size, Way,
};

use crate::budget::Permit;
use crate::times::{Mark, StageTimes};

/// What came of a sample.
pub struct Prepared {
    /// The index that was asked for.
    pub index: SampleIndex,
    /// The sample's key; `None` for an index that is not in the catalog.
    pub key: Option<SampleKey>,
    /// The sample's class; `None` where it has none.
    pub label: Option<ClassId>,
    /// Bytes read from the store.
    pub stored: ByteCount,
    /// Where the sample's time went.
    pub times: StageTimes,
    /// Where its time lay; nothing where nobody follows it.
    pub marks: Vec<Mark>,
    /// The payload with its memory, or why there is none.
    pub outcome: Result<Finished, SampleFailure>,
}

/// A payload at its cut, and the memory in which it lies.
pub struct Finished {
    /// The payload, as it travels.
    pub parts: Parts,
    /// The memory that was granted for the payload.
    pub permit: Permit,
}

// === impl Prepared ===

impl Prepared {
    /// A sample of which nothing is known but its failure.
    pub fn failed(index: SampleIndex, failure: SampleFailure) -> Self {
        Self {
            index,
            key: None,
            label: None,
            stored: ByteCount::default(),
            times: StageTimes::default(),
            marks: Vec::new(),
            outcome: Err(failure),
        }
    }

    /// The same sample, failed where its payload is longer than the client takes. It fails alone and by name, where a
    /// message that is too long would end the call.
    pub(crate) fn within(mut self, most: ByteCount) -> Self {
        if let Ok(Finished { parts, .. }) = &self.outcome
            && parts.bytes.len() as u64 > most.get()
        {
            let (bytes, cut) = (parts.bytes.len(), parts.way.cut());
            let setting = match cut.form() {
                Form::Stored | Form::Crop => LimitSetting::Object,
                Form::Photo | Form::Pixels | Form::Floats | Form::Features => LimitSetting::SampleMemory,
            };
            let message = format!(
                "its {bytes} bytes at the cut {cut} are more than the {most} that the client takes: raise {} there \
                 (in Python limits=headwater.Limits({}=...))",
                setting.flag(),
                setting.keyword(),
            );
            self.outcome = Err(SampleFailure::new(FailureKind::LimitExceeded, message));
        }
        self
    }
}

// === impl Finished ===

impl Finished {
    /// A photo as it is stored.
    pub(crate) fn encoded(bytes: Bytes, permit: Permit) -> Self {
        Self { parts: Payload::Encoded(bytes).into_parts(PixelCoding::Raw, None), permit }
    }

    /// A crop, in memory that was granted to a whole run.
    pub(crate) fn part_of(run: &mut Permit, crop: Payload) -> Self {
        let parts = crop.into_parts(PixelCoding::Raw, None);
        let permit = run.split(parts.bytes.len().into());
        Self { parts, permit }
    }

    /// What a model made of a photo: as it is, or with the bytes into which it was coded.
    pub(crate) fn features(values: &[f32], coded: Option<Vec<u8>>, source: Size, mut permit: Permit) -> Self {
        let way = if coded.is_some() { Way::FEATURES_LOSSLESS } else { Way::FEATURES };
        let bytes = coded.unwrap_or_else(|| values.iter().flat_map(|value| value.to_le_bytes()).collect());
        permit.shrink_to(bytes.len().into());
        let parts = Parts {
            way,
            dtype: DType::F32,
            shape: Shape::vector(u32::try_from(values.len()).unwrap_or(u32::MAX)),
            source: Some(source),
            origin: Position::default(),
            bytes: bytes.into(),
        };
        Self { parts, permit }
    }
}
