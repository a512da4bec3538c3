//! Whether what arrived is what was asked for.

use headwater_types::failure::check_finite;
use headwater_types::recipe::DecodeMode;
use headwater_types::{
    AgreedLimits, ClassId, Cut, DType, FailureKind, FieldKind, FieldValue, Form, PixelCoding, SampleFailure,
    SampleIndex, Scale, Shape, Size, Way,
};
use headwater_wire::{Delivered, Delivery};

use crate::limits::{Past, check_object, check_size};
use crate::partition::Partition;
use crate::sample::Sample;
use crate::trace::SampleTrace;
use crate::wanted::Wanted;

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
    /// The kinds of the fields that were asked for.
    pub(crate) fields: Vec<FieldKind>,
    /// Whether features may be other than finite.
    pub(crate) allow_non_finite: bool,
}

// === impl Expectation ===

impl Expectation {
    /// The sample as its reader gets it, with its index in the dataset and the dataset's class. What is not as it was
    /// asked for becomes a failure of that sample.
    pub(crate) fn accept(&self, partition: &Partition, wanted: &Wanted, delivery: Delivery) -> Sample {
        let Delivery { index, key, label, fields, cpu, outcome, position: _ } = delivery;
        let (local, index) = (index, SampleIndex(partition.first.saturating_add(index.0)));
        let label =
            label.map(|ClassId(local)| (local, usize::try_from(local).ok().and_then(|l| partition.labels.get(l))));
        let limits = partition.limits;
        let checked = outcome.map_err(|failure| with_server(failure, partition)).and_then(|delivered| {
            let problem = match label {
                Some((label, None)) => Some(format!("its label {label} is not among the server's classes")),
                _ if key.is_none() => Some("it has no key".to_owned()),
                _ if !self.are_fields(&fields) => Some("its fields are not those that were asked for".to_owned()),
                _ => self.problem(wanted, &delivered),
            };
            if let Some(problem) = problem {
                return Err(partition.breach(local, &problem));
            }
            match within(&delivered, &limits) {
                Ok(()) => {}
                Err(Past::Breach(problem)) => return Err(partition.breach(local, &problem)),
                Err(Past::Own(failure)) => return Err(failure),
            }
            // A server of before this was a failure gives them as they are. Whoever decodes what is coded looks then.
            if delivered.way == Way::FEATURES && !self.allow_non_finite {
                check_finite(&floats(&delivered.payload))?;
            }
            Ok(delivered)
        });
        let label = label.and_then(|(_, class)| class.copied());
        let fields = if self.are_fields(&fields) { fields } else { Vec::new() };
        let trace = SampleTrace::default();
        Sample { index, address: wanted.address, key, label, fields, cpu, limits, outcome: checked, trace }
    }

    fn are_fields(&self, values: &[FieldValue]) -> bool {
        values.len() == self.fields.len() && values.iter().zip(&self.fields).all(|(value, kind)| value.fits(*kind))
    }

    /// Whether a sample may come at the cut `came` where the cut `asked` was asked for.
    fn stands_for(&self, came: Cut, asked: Cut) -> bool {
        let stands_for = match asked.form() {
            // A photo that cannot be cropped as a JPEG comes as it is stored.
            Form::Crop => came.form() == Form::Stored,
            Form::Floats => !self.floats && came == asked.as_pixels(),
            Form::Stored | Form::Photo | Form::Pixels | Form::Features => false,
        };
        stands_for || came == asked
    }

    fn problem(&self, wanted: &Wanted, delivered: &Delivered) -> Option<String> {
        let (cut, asked) = (delivered.way.cut(), wanted.way.cut());
        if !self.stands_for(cut, asked) {
            return Some(format!("it was taken to {cut}, not to {asked}"));
        }
        let (coding, expected) = (delivered.way.pixels(), wanted.way.pixels());
        if coding != PixelCoding::Raw && coding != expected {
            return Some(format!("its pixels are coded {coding}, not {expected}"));
        }
        let origin = delivered.origin;
        let inside = |size: Size| origin.x < size.width && origin.y < size.height;
        if cut.form() == Form::Crop && !delivered.source.is_some_and(inside) {
            return Some(format!("its crop begins at {}, {}, outside its photo", origin.x, origin.y));
        }
        let expected = match cut.form() {
            Form::Stored | Form::Crop => {
                u32::try_from(delivered.payload.len()).ok().map(|n| (DType::U8, Shape::vector(n)))
            }
            Form::Photo => delivered.source.map(|size| (DType::U8, self.decoded_shape(size, delivered.shape))),
            Form::Pixels => self.output.map(|out| (DType::U8, Shape::cube(out.height, out.width, 3))),
            Form::Floats => self.output.map(|out| (DType::F32, Shape::cube(3, out.height, out.width))),
            Form::Features => self.feature_len.map(|n| (DType::F32, Shape::vector(n))),
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
    match delivered.way.cut().form() {
        Form::Stored | Form::Crop => check_object(delivered.payload.len(), limits),
        Form::Photo | Form::Pixels | Form::Floats | Form::Features => Ok(()),
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
