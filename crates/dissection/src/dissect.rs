//! A network and photos, measured at every cut.

use std::collections::HashMap;
use std::time::Duration;

use headwater_features::{PartTensor, Runtime};
use headwater_onnx::{Cut, Dim, ElementType, Limits, Network, Split, ValueFacts, check, prune, split_read};
use headwater_plan::partition::{BatchCost, CutCosts, CutTensor, FrontMemory, NotMeasured};
use headwater_types::{Recipe, Way};

use crate::error::DissectionError;
use crate::halves::{self, Timing, least, seconds};
use crate::photos::Photos;
use crate::pixels::{Pixels, WayCost};
use crate::values::{CodedCost, Shapes, activations, images, open, run};

/// What is measured, and how.
pub struct Dissector<'a> {
    /// ONNX Runtime.
    pub runtime: &'a Runtime,
    /// The model's file.
    pub onnx: &'a [u8],
    /// The outputs that it is run for, one at least.
    pub outputs: &'a [String],
    /// The recipe that makes its input.
    pub recipe: &'a Recipe,
    /// The photos.
    pub photos: &'a Photos,
    /// Images that run at once, each number in turn; 1 alone for a model that takes no more.
    pub batches: &'a [u32],
    /// How long each half is run for, in batches of each size.
    pub within: Duration,
    /// The tensors of the only cut that is measured, whose halves are kept; `None` for all cuts.
    pub at: Option<&'a [String]>,
    /// Hears how much has been done, of how much.
    pub on_progress: &'a (dyn Fn(u64, u64) + Sync),
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Dissection {
    /// The cuts, from the stored photo to the outputs.
    pub cuts: Vec<CutCosts>,
    /// Ways and values that were not measured, each with the reason.
    pub not_measured: Vec<NotMeasured>,
    /// Stretches that were not searched for cuts of several values.
    pub not_searched: u64,
    /// Photos that were measured.
    pub photos: u64,
    /// Photos that cannot be read.
    pub photos_failed: u64,
    /// The halves at the only cut.
    pub halves: Option<Split>,
}

/// Cuts that an error names.
const NAMED: usize = 8;
/// Copies of weights that an open session holds: the model's, and those that ONNX Runtime lays out for its kernels.
const COPIES: u64 = 2;

/// The name of the cut behind the whole network.
const FEATURES: &str = "features";

// === impl Dissector ===

impl Dissector<'_> {
    /// Measures, and blocks meanwhile: some seconds for each photo and cut.
    ///
    /// # Errors
    /// A model that is no network from the recipe's tensor to its outputs, that has control flow or cannot be run; no
    /// photo that can be read; a cut that there is not.
    pub fn dissect(&self) -> Result<Dissection, DissectionError> {
        let outputs: Vec<_> = self.outputs.iter().map(String::as_str).collect();
        let network = Network::read(self.onnx, &outputs, &Limits::default())?;
        let batch = self.batch_axis()?;
        let steps = Steps::new(self.on_progress, self.photos.files.len() as u64);
        let pixels = Pixels::measure(self.recipe, self.photos, &|| steps.step())?;
        let size = self.recipe.output_size();
        let sides = [size.height as usize, size.width as usize];
        let inputs: Vec<_> = pixels.rows.iter().map(|row| images(row, sides, 1)).collect();
        let [image, ..] = &inputs[..] else { return Err(DissectionError::Output(outputs.join(", "))) };
        let shapes = Shapes::measure(self.runtime, self.onnx, (&network, &batch), image)?;
        let eligible = |name: &str| shapes.bytes.get(name).filter(|_| shapes.facts.contains_key(name)).copied();
        let found =
            network.cuts(|name| if name == network.input() { shapes.bytes.get(name).copied() } else { eligible(name) });
        let cuts = self.chosen(found.cuts)?;
        steps.expect(inputs.len() as u64 + cuts.len() as u64 + 1);
        let (coded, values) = activations(self.runtime, self.onnx, (&cuts, &shapes.facts), &inputs, &|| steps.step())?;
        let only_one = [1];
        let batches = if matches!(batch, Dim::Fixed(_)) { &only_one[..] } else { self.batches };
        let timing = Timing { batches, within: self.within };
        let whole = self.whole(&outputs, image, timing)?;
        steps.step();
        let mut all = ways(&pixels, &whole);
        let mut kept = None;
        for (cut, coded) in cuts.iter().zip(coded) {
            let at: Vec<_> = cut.values.iter().filter_map(|name| shapes.facts.get(name).cloned()).collect();
            let halves = split_read(self.onnx, &network, &outputs, &at)?;
            let at_cut = AtCut { cut, at: &at, coded, pixels: pixels.seconds };
            let peak = network.peak(&cut.values, |name| shapes.bytes.get(name).copied());
            all.push(at_cut.measure(self.runtime, &halves, (image, &values), (timing, peak))?);
            kept = self.at.map(|_| halves);
            steps.step();
        }
        all.push(behind(&pixels, &whole, network.peak(self.outputs, |name| shapes.bytes.get(name).copied())));
        let not_measured = pixels.not_measured.into_iter().chain(shapes.not_measured).collect();
        Ok(Dissection {
            cuts: all,
            not_measured,
            not_searched: found.not_searched as u64,
            photos: inputs.len() as u64,
            photos_failed: pixels.failed,
            halves: kept,
        })
    }

    /// The first axis of the network's input, which must be one of the recipe's tensors.
    fn batch_axis(&self) -> Result<Dim, DissectionError> {
        let (facts, size) = (check(self.onnx, &Limits::default())?, self.recipe.output_size());
        let shown = || facts.inputs.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let wrong = || DissectionError::Input {
            recipe: self.recipe.name().to_string(),
            height: size.height,
            width: size.width,
            input: shown(),
        };
        let [input] = &facts.inputs[..] else { return Err(wrong()) };
        let Some([batch, channels, height, width]) = input.dims.as_deref() else { return Err(wrong()) };
        let fits = channels.admits(3) && height.admits(size.height.into()) && width.admits(size.width.into());
        match input.element == Some(ElementType::FLOAT32) && fits && batch.admits(1) {
            true => Ok(batch.clone()),
            false => Err(wrong()),
        }
    }

    /// All cuts, or the one that was asked for.
    fn chosen(&self, cuts: Vec<Cut>) -> Result<Vec<Cut>, DissectionError> {
        let Some(asked) = self.at else { return Ok(cuts) };
        let same = |cut: &&Cut| cut.values.len() == asked.len() && cut.values.iter().all(|name| asked.contains(name));
        if let Some(cut) = cuts.iter().find(same) {
            return Ok(vec![cut.clone()]);
        }
        let step = cuts.len().div_ceil(NAMED).max(1);
        let known = cuts.iter().step_by(step).map(|cut| cut.values.join(",")).collect();
        Err(DissectionError::NoSuchCut { asked: asked.join(","), known })
    }

    /// Runs the whole network: seconds an image, and the outputs for one.
    fn whole(&self, outputs: &[&str], image: &PartTensor, timing: Timing<'_>) -> Result<Whole, DissectionError> {
        let onnx = prune(self.onnx, outputs, &Limits::default())?;
        let mut part = open(self.runtime, &onnx, "the network")?;
        let mut made = Vec::new();
        for (name, tensor) in outputs.iter().zip(run(&mut part, &[image], "the network")?) {
            let of_one = tensor.filter(|tensor| tensor.dims.first() == Some(&1));
            made.push(((*name).to_owned(), of_one.ok_or_else(|| DissectionError::Output((*name).to_owned()))?));
        }
        Ok(Whole { batches: seconds(&mut part, &[image], timing)?, made, bytes: onnx.len() as u64 })
    }
}

/// The whole network as it runs.
struct Whole {
    batches: Vec<BatchCost>,
    made: Vec<(String, PartTensor)>,
    bytes: u64,
}

/// A cut of the network that is measured.
struct AtCut<'a> {
    cut: &'a Cut,
    at: &'a [ValueFacts],
    coded: CodedCost,
    /// CPU seconds from a stored photo to the network's input.
    pixels: f64,
}

// === impl AtCut ===

impl AtCut<'_> {
    fn measure(
        &self,
        runtime: &Runtime,
        halves: &Split,
        (image, values): (&PartTensor, &HashMap<String, PartTensor>),
        (timing, peak): (Timing<'_>, u64),
    ) -> Result<CutCosts, DissectionError> {
        let here: Vec<_> = self.at.iter().filter_map(|value| values.get(&value.name)).collect();
        let cost = halves::measure(runtime, halves, (image, &here), timing)?;
        let name = self.cut.values.join(",");
        let bytes = self.cut.bytes as f64;
        Ok(CutCosts {
            tensor: Some(name.clone()),
            tensors: self.at.iter().zip(here).map(|(value, tensor)| described(&value.name, tensor)).collect(),
            coded_bytes: Some(self.coded.bytes),
            code_seconds: self.coded.code,
            uncode_seconds: self.coded.uncode,
            memory: FrontMemory { fixed: COPIES * halves.front.len() as u64, image: peak },
            ..costs(&name, bytes, with(&cost.front, self.pixels), cost.back)
        })
    }
}

/// The ways of the recipe, behind which the tuner runs the whole network.
fn ways(pixels: &Pixels, whole: &Whole) -> Vec<CutCosts> {
    let network = least(&whole.batches);
    let of_way = |(way, cost): (&Way, &WayCost)| {
        let server = vec![BatchCost { batch: 1, server_seconds: cost.server }];
        costs(&way.to_string(), cost.bytes, server, cost.tuner + network)
    };
    pixels.ways.iter().map(of_way).collect()
}

/// The cut behind the network: the server does everything.
fn behind(pixels: &Pixels, whole: &Whole, peak: u64) -> CutCosts {
    let tensors: Vec<_> = whole.made.iter().map(|(name, tensor)| described(name, tensor)).collect();
    let bytes: usize = whole.made.iter().map(|(_, tensor)| tensor.to_bytes().len()).sum();
    CutCosts {
        tensors,
        memory: FrontMemory { fixed: COPIES * whole.bytes, image: peak },
        ..costs(FEATURES, bytes as f64, with(&whole.batches, pixels.seconds), 0.0)
    }
}

/// A cut without tensors that is not coded.
fn costs(cut: &str, bytes: f64, batches: Vec<BatchCost>, tuner: f64) -> CutCosts {
    CutCosts {
        cut: cut.to_owned(),
        tensor: None,
        tensors: Vec::new(),
        bytes,
        coded_bytes: None,
        server_seconds: least(&batches),
        device_seconds: None,
        tuner_seconds: tuner,
        code_seconds: 0.0,
        uncode_seconds: 0.0,
        batches,
        memory: FrontMemory::default(),
    }
}

/// The same batches, with what each image takes before the network.
fn with(batches: &[BatchCost], pixels: f64) -> Vec<BatchCost> {
    let more = |of: &BatchCost| BatchCost { server_seconds: of.server_seconds + pixels, ..*of };
    batches.iter().map(more).collect()
}

fn described(name: &str, tensor: &PartTensor) -> CutTensor {
    CutTensor {
        name: name.to_owned(),
        element: tensor.element().to_string(),
        shape: tensor.dims.iter().map(|&length| length as u64).collect(),
    }
}

/// Counts what has been done.
struct Steps<'a> {
    on_progress: &'a (dyn Fn(u64, u64) + Sync),
    done: std::cell::Cell<u64>,
    total: std::cell::Cell<u64>,
}

// === impl Steps ===

impl<'a> Steps<'a> {
    fn new(on_progress: &'a (dyn Fn(u64, u64) + Sync), total: u64) -> Self {
        Self { on_progress, done: 0.into(), total: total.into() }
    }

    fn expect(&self, more: u64) {
        self.total.set(self.total.get() + more);
    }

    fn step(&self) {
        self.done.set(self.done.get() + 1);
        (self.on_progress)(self.done.get(), self.total.get());
    }
}
