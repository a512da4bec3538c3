//! What comes of a sample: a payload with the memory in which it lies, or why there is none.

use bytes::Bytes;
use headwater_image::{Parts, Payload};
use headwater_types::{
    ByteCount, ClassId, Cut, DType, PixelCoding, Position, SampleFailure, SampleIndex, SampleKey, Shape, Size,
};

use crate::budget::Permit;
use crate::times::StageTimes;

/// What came of a sample.
pub struct Prepared {
    /// Which was asked for.
    pub index: SampleIndex,
    /// Its key; `None` for an index that is not in the catalog.
    pub key: Option<SampleKey>,
    /// Its class.
    pub label: Option<ClassId>,
    /// Bytes read from the store.
    pub stored: ByteCount,
    /// Where its time went.
    pub times: StageTimes,
    /// The payload with its memory, or why there is none.
    pub outcome: Result<Finished, SampleFailure>,
}

/// A payload at its cut.
pub struct Finished {
    /// How far it was taken.
    pub cut: Cut,
    /// Type of its elements.
    pub dtype: DType,
    /// Axes, outermost first.
    pub shape: Shape,
    /// How the payload is written: raw, but for pixels that were coded.
    pub coding: PixelCoding,
    /// Elements, little endian, raw or coded.
    pub payload: Bytes,
    /// Size of the decoded photo; `None` at the cut `encoded`.
    pub source: Option<Size>,
    /// Where in the decoded photo the payload's first pixel lies: for `jpeg-crop`; elsewhere 0, 0.
    pub origin: Position,
    /// The memory in which the payload lies.
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
            outcome: Err(failure),
        }
    }
}

// === impl Finished ===

impl Finished {
    pub(crate) fn new(parts: Parts, permit: Permit) -> Self {
        let Parts { cut, dtype, shape, coding, source, origin, bytes } = parts;
        Self { cut, dtype, shape, coding, payload: bytes, source, origin, permit }
    }

    /// What travels as it is: stored bytes, or a crop of them.
    pub(crate) fn raw(payload: Payload, permit: Permit) -> Self {
        Self::new(payload.into_parts(PixelCoding::Raw, None), permit)
    }

    /// What a model made of it.
    pub(crate) fn features(values: &[f32], source: Size, permit: Permit) -> Self {
        Self {
            cut: Cut::Features,
            dtype: DType::F32,
            shape: Shape::vector(u32::try_from(values.len()).unwrap_or(u32::MAX)),
            coding: PixelCoding::Raw,
            payload: values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>().into(),
            source: Some(source),
            origin: Position::default(),
            permit,
        }
    }
}
