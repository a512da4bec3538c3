//! The values of a network, as it runs: their shapes, and what they are for photos.

use std::collections::HashMap;

use headwater_delta::{Pack, Unpack};
use headwater_features::{Elements, Part, PartTensor, Runtime};
use headwater_onnx::{Cut, Dim, Limits, Network, ValueFacts, expose};
use headwater_plan::partition::NotMeasured;

use crate::error::DissectionError;
use crate::stopwatch::timed;

/// Type and shape of the values through which a network may be cut, for one image.
pub(crate) struct Shapes {
    pub(crate) facts: HashMap<String, ValueFacts>,
    /// Bytes of every value that could be looked at, through which a cut may go or not.
    pub(crate) bytes: HashMap<String, u64>,
    pub(crate) not_measured: Vec<NotMeasured>,
}

/// What an image's values at a cut take where they are coded, and what that costs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CodedCost {
    pub(crate) bytes: f64,
    pub(crate) code: f64,
    pub(crate) uncode: f64,
}

/// Images as the network takes them: f32 `[count, 3, h, w]`.
pub(crate) fn images(row: &[f32], [height, width]: [usize; 2], count: usize) -> PartTensor {
    PartTensor { dims: vec![1, 3, height, width], elements: Elements::Float32(row.to_vec()) }.repeated(count)
}

// === impl Shapes ===

impl Shapes {
    /// Runs the network with one image, and with two where it takes two: a value of which each image has its own part
    /// has twice as many elements, on its first axis.
    pub(crate) fn measure(
        runtime: &Runtime,
        onnx: &[u8],
        (network, batch): (&Network<'_>, &Dim),
        image: &PartTensor,
    ) -> Result<Self, DissectionError> {
        let names: Vec<_> = network.values().collect();
        let unknown = |name: &&str| ValueFacts { name: (*name).to_owned(), element: None, dims: None };
        let all: Vec<_> = names.iter().map(unknown).collect();
        let mut whole = open(runtime, &expose(onnx, &all, &Limits::default())?, "the network with all its values")?;
        let one = run(&mut whole, &[image], "the network")?;
        let two = match batch {
            Dim::Fixed(_) => None,
            _ => Some(run(&mut whole, &[&image.repeated(2)], "the network with two images")?),
        };
        let mut shapes = Self { facts: HashMap::new(), bytes: HashMap::new(), not_measured: Vec::new() };
        let input = network.input().to_owned();
        shapes.bytes.insert(input, image.to_bytes().len() as u64);
        for (place, name) in names.into_iter().enumerate() {
            let pair = two.as_ref().map(|two| two[place].as_ref());
            match one[place].as_ref() {
                None => shapes.leave_out(name, "its elements are not float32, uint8 or int8"),
                Some(tensor) => shapes.add(name, tensor, pair, batch),
            }
        }
        Ok(shapes)
    }

    fn add(&mut self, name: &str, one: &PartTensor, two: Option<Option<&PartTensor>>, batch: &Dim) {
        let bytes = one.dims.iter().product::<usize>() * one.width();
        self.bytes.insert(name.to_owned(), bytes as u64);
        let [first, rest @ ..] = &one.dims[..] else { return self.leave_out(name, "it has no axes") };
        let doubled = two.is_none_or(|two| two.is_some_and(|two| two.dims[..] == [&[2], rest].concat()));
        if *first != 1 || !doubled {
            return self.leave_out(name, "its first axis is not the images'");
        }
        let axes = rest.iter().map(|&length| Dim::Fixed(length as u64));
        let dims = std::iter::once(batch.clone()).chain(axes).collect();
        let facts = ValueFacts { name: name.to_owned(), element: Some(one.element()), dims: Some(dims) };
        self.facts.insert(name.to_owned(), facts);
    }

    fn leave_out(&mut self, name: &str, reason: &str) {
        self.not_measured.push(NotMeasured { tensor: name.to_owned(), reason: reason.to_owned() });
    }
}

/// Runs each photo through the network, and codes its values at each cut. Gives the means over the photos, and the
/// first photo's values by their names.
pub(crate) fn activations(
    runtime: &Runtime,
    onnx: &[u8],
    (cuts, facts): (&[Cut], &HashMap<String, ValueFacts>),
    photos: &[PartTensor],
    done: &dyn Fn(),
) -> Result<(Vec<CodedCost>, HashMap<String, PartTensor>), DissectionError> {
    let names: Vec<_> = cuts.iter().flat_map(|cut| &cut.values).collect();
    let wanted: Vec<_> = names.iter().filter_map(|name| facts.get(*name).cloned()).collect();
    let mut costs = vec![CodedCost::default(); cuts.len()];
    let mut first = HashMap::new();
    if wanted.is_empty() {
        return Ok((costs, first));
    }
    let mut whole = open(runtime, &expose(onnx, &wanted, &Limits::default())?, "the network with its cuts")?;
    let (mut pack, mut unpack) = (Pack::default(), Unpack::default());
    for photo in photos {
        let values = run(&mut whole, &[photo], "the network")?.into_iter().flatten();
        let values: HashMap<_, _> = wanted.iter().map(|value| value.name.clone()).zip(values).collect();
        for (cut, cost) in cuts.iter().zip(&mut costs) {
            for name in &cut.values {
                let Some(value) = values.get(name) else { continue };
                let coded =
                    code(value, (&mut pack, &mut unpack)).ok_or_else(|| DissectionError::Coding(name.clone()))?;
                cost.bytes += coded.bytes / photos.len() as f64;
                cost.code += coded.code / photos.len() as f64;
                cost.uncode += coded.uncode / photos.len() as f64;
            }
        }
        first = if first.is_empty() { values } else { first };
        done();
    }
    Ok((costs, first))
}

/// Codes a tensor and decodes it again; `None` where it does not come back.
fn code(value: &PartTensor, (pack, unpack): (&mut Pack, &mut Unpack)) -> Option<CodedCost> {
    let bytes = value.to_bytes();
    let (coded, code) = timed(|| pack.encode(&bytes, value.width()));
    let Some(coded) = coded else { return Some(CodedCost { bytes: bytes.len() as f64, code, uncode: 0.0 }) };
    let (decoded, uncode) = timed(|| unpack.decode(&coded, value.width(), bytes.len()));
    (decoded.ok()? == bytes).then_some(CodedCost { bytes: coded.len() as f64, code, uncode })
}

/// Opens a part of the network on one thread.
pub(crate) fn open(runtime: &Runtime, onnx: &[u8], what: &str) -> Result<Part, DissectionError> {
    Part::open(runtime, onnx, 1).map_err(|source| DissectionError::Run { what: what.to_owned(), source })
}

pub(crate) fn run(
    part: &mut Part,
    fed: &[&PartTensor],
    what: &str,
) -> Result<Vec<Option<PartTensor>>, DissectionError> {
    part.run(fed).map_err(|source| DissectionError::Run { what: what.to_owned(), source })
}
