//! A sample as it travels: index, key, label, and either a payload with its meaning or the reason why there is none.

use bytes::Bytes;
use headwater_types::{
    ClassId, CpuSeconds, DType, FailureKind, FieldValue, PixelCoding, Position, SampleFailure, SampleIndex, SampleKey,
    Shape, Size, Way,
};

use crate::checksum::checksum;
use crate::field::{bytes_of, values_from, values_to};
use crate::proto;
use crate::status::Invalid;
use crate::way::{dtype_from, dtype_to, way_from};

/// A sample that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The sample's index in the server's partition.
    pub index: SampleIndex,
    /// The sample's place in the request, from 0; `None` from a server that does not say it.
    pub position: Option<u32>,
    /// The sample's key; `None` for an index that is not in the catalog.
    pub key: Option<SampleKey>,
    /// The sample's class, as a position in the partition's class list.
    pub label: Option<ClassId>,
    /// The values of the fields that were asked for, in that order; nothing for an index that is not in the catalog.
    pub fields: Vec<FieldValue>,
    /// CPU time that the server's CPU workers spent on the sample, where the request asked for that.
    pub cpu: Option<CpuSeconds>,
    /// The sample's payload, or why there is none.
    pub outcome: Result<Delivered, SampleFailure>,
}

/// A payload and what its bytes mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivered {
    /// How the sample came.
    pub way: Way,
    /// Type of its elements.
    pub dtype: DType,
    /// Axes of the elements, outermost first: however they are coded.
    pub shape: Shape,
    /// Elements in row-major order, little endian; coded, if the way says so.
    pub payload: Bytes,
    /// Size of the decoded photo; `None` at the cut `encoded`.
    pub source: Option<Size>,
    /// Where in the decoded photo the payload's first pixel lies: for `jpeg-crop`; elsewhere 0, 0.
    pub origin: Position,
}

// === impl Delivery ===

impl Delivery {
    /// About the bytes that its fields take on the wire.
    pub fn field_bytes(&self) -> usize {
        self.fields.iter().map(bytes_of).sum()
    }
}

impl From<Delivery> for proto::Sample {
    fn from(delivery: Delivery) -> Self {
        let index = delivery.index.0;
        let envelope = Self {
            index,
            position: delivery.position,
            key: delivery.key.map(|key| key.as_str().to_owned()).unwrap_or_default(),
            label: delivery.label.map(|label| label.0),
            cpu_nanoseconds: delivery.cpu.map(CpuSeconds::nanoseconds),
            fields: values_to(delivery.fields),
            ..Self::default()
        };
        match delivery.outcome {
            Ok(delivered) => Self {
                way: proto::Way::from(delivered.way) as i32,
                dtype: dtype_to(delivered.dtype) as i32,
                shape: delivered.shape.axes().to_vec(),
                checksum: checksum(index, &delivered.payload),
                payload: delivered.payload,
                source_width: delivered.source.map_or(0, |size| size.width),
                source_height: delivered.source.map_or(0, |size| size.height),
                origin_x: delivered.origin.x,
                origin_y: delivered.origin.y,
                ..envelope
            },
            Err(failure) => Self { failure: Some((&failure).into()), ..envelope },
        }
    }
}

impl TryFrom<proto::Sample> for Delivery {
    type Error = Invalid;

    /// Checks everything; a payload whose checksum is wrong becomes a (retryable) failure of that sample.
    fn try_from(sample: proto::Sample) -> Result<Self, Invalid> {
        let key = (!sample.key.is_empty())
            .then(|| sample.key.parse().map_err(|error| Invalid::new(format!("{error}"))))
            .transpose()?;
        let label = sample.label.map(ClassId);
        let (index, position) = (SampleIndex(sample.index), sample.position);
        let fields = values_from(sample.fields)?;
        let cpu = sample.cpu_nanoseconds.map(CpuSeconds::from_nanoseconds);
        let outcome = match sample.failure {
            Some(status) => Err(status.into()),
            None if checksum(sample.index, &sample.payload) != sample.checksum => {
                Err(SampleFailure::new(FailureKind::Checksum, format!("sample {index} was changed on its way")))
            }
            None => {
                let (way, dtype) = (way_from(sample.way)?, dtype_from(sample.dtype)?);
                let shape = Shape::new(&sample.shape)
                    .filter(|shape| fits(way, dtype, *shape, sample.payload.len()))
                    .ok_or_else(|| Invalid::new(format!("sample {index}: shape and payload do not agree")))?;
                let source = Size { width: sample.source_width, height: sample.source_height };
                let source = (source.pixels() > 0).then_some(source);
                if source.is_none() && way != Way::ENCODED {
                    return Err(Invalid::new(format!("sample {index}: the photo's size is missing")));
                }
                let origin = Position { x: sample.origin_x, y: sample.origin_y };
                Ok(Delivered { way, dtype, shape, payload: sample.payload, source, origin })
            }
        };
        Ok(Self { index, position, key, label, fields, cpu, outcome })
    }
}

/// Whether a payload of so many bytes can be these elements. Coded ones are fewer: who codes sends raw what would not
/// be.
fn fits(way: Way, dtype: DType, shape: Shape, length: usize) -> bool {
    let Some(raw) = shape.elements().and_then(|count| count.checked_mul(dtype.size())) else { return false };
    match way.pixels() {
        PixelCoding::Raw => length == raw,
        PixelCoding::Lossless => (dtype == DType::U8) != way.is_features() && length < raw,
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::Cut;

    use super::*;

    fn delivery() -> Delivery {
        Delivery {
            index: SampleIndex(7),
            position: Some(0),
            key: Some("red/a.jpg".parse().unwrap()),
            label: Some(ClassId(0)),
            fields: vec![FieldValue::Number(0.5), FieldValue::Absent],
            cpu: Some(CpuSeconds::from_nanoseconds(1_234_567)),
            outcome: Ok(Delivered {
                way: Way::raw(Cut::Decoded),
                dtype: DType::U8,
                shape: Shape::cube(1, 2, 3),
                payload: Bytes::from_static(&[1, 2, 3, 4, 5, 6]),
                source: Some(Size { width: 2, height: 1 }),
                origin: Position { x: 5, y: 6 },
            }),
        }
    }

    #[test]
    fn a_sample_survives_the_wire() {
        let failed = Delivery {
            position: None,
            key: None,
            label: None,
            fields: Vec::new(),
            cpu: None,
            outcome: Err(SampleFailure::new(FailureKind::OutOfRange, "no sample 7")),
            ..delivery()
        };
        let mut coded = delivery();
        if let Ok(delivered) = &mut coded.outcome {
            delivered.way = Way::new(Cut::Decoded, PixelCoding::Lossless).unwrap();
            delivered.payload = Bytes::from_static(&[7, 7]);
        }
        for delivery in [delivery(), failed, coded] {
            assert_eq!(Delivery::try_from(proto::Sample::from(delivery.clone())).unwrap(), delivery);
        }
    }

    #[test]
    fn a_flipped_bit_or_a_swapped_index_is_a_retryable_failure() {
        let mut flipped = proto::Sample::from(delivery());
        flipped.payload = Bytes::from_static(&[1, 2, 3, 4, 5, 7]);
        let mut swapped = proto::Sample::from(delivery());
        swapped.index = 8;
        for sample in [flipped, swapped] {
            let failure = Delivery::try_from(sample).unwrap().outcome.unwrap_err();
            assert!(failure.kind == FailureKind::Checksum && failure.is_retryable());
        }
    }

    #[test]
    fn a_shape_that_does_not_fit_its_payload_is_refused() {
        let mut sample = proto::Sample::from(delivery());
        sample.shape = vec![2, 2, 3];
        assert!(Delivery::try_from(sample).is_err());
    }

    #[test]
    fn only_pixels_are_coded_and_never_to_more_bytes() {
        type Break = fn(&mut proto::Sample);
        let breaks: [Break; 5] = [
            |s| s.shape = vec![1, 1, 3],
            |s| s.shape = vec![u32::MAX; 3],
            |s| (s.way, s.shape) = (proto::Way::Encoded as i32, vec![7]),
            |s| s.dtype = proto::ElementType::F32 as i32,
            |s| s.way = 13,
        ];
        let mut coded = proto::Sample::from(delivery());
        (coded.way, coded.shape) = (proto::Way::DecodedLossless as i32, vec![2, 2, 3]);
        assert!(Delivery::try_from(coded.clone()).is_ok());
        for (number, break_it) in breaks.into_iter().enumerate() {
            let mut sample = coded.clone();
            break_it(&mut sample);
            assert!(Delivery::try_from(sample).is_err(), "{number}");
        }
    }
}
