//! Whether what arrived is what was asked for.

use headwater_types::failure::check_finite;
use headwater_types::recipe::DecodeMode;
use headwater_types::{
    AgreedLimits, ClassId, Cut, DType, FailureKind, PixelCoding, SampleFailure, SampleIndex, Scale, Shape, Size,
};
use headwater_wire::{Delivered, Delivery};

use crate::chunk::Wanted;
use crate::limits::{Past, check_object, check_size};
use crate::partition::Partition;
use crate::request::CutChoice;
use crate::sample::Sample;

/// What a partition's samples must be like.
#[derive(Clone, Debug)]
pub(crate) struct Expectation {
    /// Output of the recipe, where there is one.
    pub(crate) output: Option<Size>,
    /// How exactly the recipe decodes: at which scales a decoded photo may come.
    pub(crate) decode: DecodeMode,
    /// Length of the model's features, where there is one.
    pub(crate) feature_len: Option<u32>,
    /// Whether floats travel as floats only.
    pub(crate) floats: bool,
    /// Whether features may be other than finite.
    pub(crate) allow_non_finite: bool,
}

// === impl Expectation ===

impl Expectation {
    /// The sample as its reader gets it, with its index in the dataset and the dataset's class. What is not as it was
    /// asked for becomes a failure of that sample.
    pub(crate) fn accept(&self, partition: &Partition, wanted: &Wanted, delivery: Delivery) -> Sample {
        let Delivery { index, key, label, cpu, outcome, position: _ } = delivery;
        let (local, index) = (index, SampleIndex(partition.first.saturating_add(index.0)));
        let label =
            label.map(|ClassId(local)| (local, usize::try_from(local).ok().and_then(|l| partition.labels.get(l))));
        let limits = partition.limits;
        let checked = outcome.map_err(|failure| with_server(failure, partition)).and_then(|delivered| {
            let problem = match label {
                Some((label, None)) => Some(format!("its label {label} is not among the server's classes")),
                _ if key.is_none() => Some("it has no key".to_owned()),
                _ => self.problem(wanted, &delivered),
            };
            if let Some(problem) = problem {
                return Err(broken(partition, local, &problem));
            }
            match within(&delivered, &limits) {
                Ok(()) => {}
                Err(Past::Breach(problem)) => return Err(broken(partition, local, &problem)),
                Err(Past::Own(failure)) => return Err(failure),
            }
            // A server of before this was a failure gives them as they are.
            if delivered.cut == Cut::Features && !self.allow_non_finite {
                check_finite(&floats(&delivered.payload))?;
            }
            Ok(delivered)
        });
        let label = label.and_then(|(_, class)| class.copied());
        Sample { index, address: wanted.address, key, label, cpu, limits, outcome: checked }
    }

    /// About how many payload bytes a sample has, before any coding.
    pub(crate) fn payload_bytes(&self, partition: &Partition, cuts: &CutChoice) -> u64 {
        let pixels = self.output.map_or(0, Size::pixels);
        let bytes = |cut| match cut {
            // A crop is smaller than its photo; by how much depends on the recipe, and some photos come whole.
            Cut::Encoded | Cut::JpegCrop => partition.stored_bytes / partition.samples.max(1),
            // Nobody knows before it is decoded: a megapixel.
            Cut::Decoded => 3 << 20,
            Cut::Tensor | Cut::Normalized if self.floats => 12 * pixels,
            Cut::Cropped | Cut::Flipped | Cut::Tensor | Cut::Normalized => 3 * pixels,
            Cut::Features => 4 * u64::from(self.feature_len.unwrap_or(0)),
        };
        let mean =
            |cuts: &[Cut]| cuts.iter().map(|&cut| bytes(cut)).fold(0, u64::saturating_add) / (cuts.len() as u64).max(1);
        match cuts {
            CutChoice::All(cut) => bytes(*cut),
            CutChoice::PerSample(cuts) => mean(cuts),
            CutChoice::Live(plan) => mean(&plan.tables().cuts),
        }
    }

    /// Whether a sample may come at this cut where that one was asked for.
    fn stands_for(&self, came: Cut, asked: Cut) -> bool {
        match (asked, came) {
            // A photo that cannot be cropped as a JPEG.
            (Cut::JpegCrop, Cut::Encoded) => true,
            (Cut::Tensor | Cut::Normalized, Cut::Flipped) => !self.floats,
            _ => came == asked,
        }
    }

    fn problem(&self, wanted: &Wanted, delivered: &Delivered) -> Option<String> {
        let cut = delivered.cut;
        if !self.stands_for(cut, wanted.cut) {
            return Some(format!("it was taken to {cut}, not to {}", wanted.cut));
        }
        // That only pixels are coded is a rule of the wire, and was checked there.
        if delivered.coding != PixelCoding::Raw && delivered.coding != wanted.pixels {
            return Some(format!("its pixels are coded {}, not {}", delivered.coding, wanted.pixels));
        }
        let origin = delivered.origin;
        let inside = |size: Size| origin.x < size.width && origin.y < size.height;
        if cut == Cut::JpegCrop && !delivered.source.is_some_and(inside) {
            return Some(format!("its crop begins at {}, {}, outside its photo", origin.x, origin.y));
        }
        let expected = match cut {
            Cut::Encoded | Cut::JpegCrop => {
                u32::try_from(delivered.payload.len()).ok().map(|n| (DType::U8, Shape::vector(n)))
            }
            Cut::Decoded => delivered.source.map(|size| (DType::U8, self.decoded_shape(size, delivered.shape))),
            Cut::Cropped | Cut::Flipped => self.output.map(|out| (DType::U8, Shape::cube(out.height, out.width, 3))),
            Cut::Tensor | Cut::Normalized => self.output.map(|out| (DType::F32, Shape::cube(3, out.height, out.width))),
            Cut::Features => self.feature_len.map(|n| (DType::F32, Shape::vector(n))),
        };
        let (dtype, shape) = (delivered.dtype, delivered.shape);
        (expected != Some((dtype, shape))).then(|| format!("at the cut {cut} it is not {dtype} of shape {shape:?}"))
    }

    /// The shape of a decoded photo: the one that came, where the recipe may have it decoded at that scale.
    fn decoded_shape(&self, photo: Size, came: Shape) -> Shape {
        let shape = |size: Size| Shape::cube(size.height, size.width, 3);
        let mut shapes = Scale::all(self.decode).iter().map(|scale| shape(scale.size(photo)));
        shapes.find(|&shape| shape == came).unwrap_or_else(|| shape(photo))
    }
}

/// Whether a payload is within the limits of server and client.
fn within(delivered: &Delivered, limits: &AgreedLimits) -> Result<(), Past> {
    if let Some(size) = delivered.source {
        check_size(size, limits)?;
    }
    match delivered.cut {
        Cut::Encoded | Cut::JpegCrop => check_object(delivered.payload.len(), limits),
        _ => Ok(()),
    }
}

/// Features as they travel: f32, little endian.
fn floats(payload: &[u8]) -> Vec<f32> {
    payload.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

/// A server's failure, with whose limit it is that was passed.
fn with_server(failure: SampleFailure, partition: &Partition) -> SampleFailure {
    match failure.kind {
        FailureKind::LimitExceeded => {
            SampleFailure::new(failure.kind, format!("{} (says server {})", failure.message, partition.address))
        }
        _ => failure,
    }
}

/// The failure of a sample that a server sent in breach of the protocol.
pub(crate) fn broken(partition: &Partition, local: SampleIndex, problem: &str) -> SampleFailure {
    let message = format!("server {} sent sample {local} of its partition wrong: {problem}", partition.address);
    SampleFailure::new(FailureKind::Internal, message)
}
