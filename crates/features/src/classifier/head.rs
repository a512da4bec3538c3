//! The session of a head: features in, scores out.

use std::sync::Arc;

use headwater_onnx::{Dim, ElementType, Limits, OnnxError, Step, ValueFacts, adapt, check};
use ort::value::TensorRef;

use super::error::ClassifierError;
use super::scores::{Labels, ScoresOutput};
use crate::device::Device;
use crate::runtime::Runtime;
use crate::session::options;

/// A head that is loaded. It runs on the CPU, in the thread that calls it.
pub(super) struct HeadSession {
    session: ort::session::Session,
    output: ScoresOutput,
    /// Axes of one sample's features, as the head takes them.
    axes: Vec<usize>,
    features: usize,
    classes: usize,
}

// === impl HeadSession ===

impl HeadSession {
    /// Opens a head for features of this length, and runs it once.
    pub(super) fn open(
        runtime: &Arc<Runtime>,
        head: &[u8],
        (features, output): (usize, ScoresOutput),
        limits: &Limits,
    ) -> Result<Self, ClassifierError> {
        let head = floats(head, limits)?;
        let facts = check(&head, limits)?;
        let wrong = |actual: String| ClassifierError::Shape { features, actual };
        let [input] = &facts.inputs[..] else { return Err(wrong(format!("{} inputs", facts.inputs.len()))) };
        let axes = axes_of(input, features).ok_or_else(|| wrong(input.to_string()))?;
        let failed = |error: ort::Error| ClassifierError::Runtime(error.to_string());
        let session = options(runtime, Device::Cpu, 1).map_err(failed)?.commit_from_memory(&head).map_err(failed)?;
        let mut opened = Self { session, output, axes, features, classes: 0 };
        let (dims, scores) = opened.scores(&vec![0.0; features]).map_err(ClassifierError::Runtime)?;
        match dims[..] {
            [1, _, ..] if !scores.is_empty() => opened.classes = scores.len(),
            _ => return Err(wrong(format!("an output of shape {dims:?}"))),
        }
        Ok(opened)
    }

    /// The number of classes.
    pub(super) fn classes(&self) -> usize {
        self.classes
    }

    /// The best classes of each of these rows of features.
    pub(super) fn run(&mut self, features: &[f32], most: usize) -> Result<Vec<Labels>, String> {
        if features.is_empty() {
            return Ok(Vec::new());
        }
        let (rows, classes, output) = (features.len() / self.features, self.classes, self.output);
        let (dims, scores) = self.scores(features)?;
        match dims.first() == Some(&(rows as i64)) && scores.len() == rows * classes {
            true => Ok(output.best(&scores, classes, most)),
            false => Err(format!("{rows} samples gave scores of shape {dims:?}, not {rows} x {classes}")),
        }
    }

    fn scores(&mut self, features: &[f32]) -> Result<(Vec<i64>, Vec<f32>), String> {
        let mut dims = vec![features.len() / self.features];
        dims.extend(&self.axes);
        let failed = |error: ort::Error| error.to_string();
        let input = TensorRef::from_array_view((dims, features)).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![input]).map_err(failed)?;
        let (dims, values) = outputs[0].try_extract_tensor::<f32>().map_err(failed)?;
        Ok((dims.to_vec(), values.to_vec()))
    }
}

/// A head that takes and gives float32, also where it computes in float16.
fn floats(head: &[u8], limits: &Limits) -> Result<Vec<u8>, OnnxError> {
    let is_half = |input: &ValueFacts| input.element == Some(ElementType::FLOAT16);
    let half = check(head, limits)?.inputs.iter().any(is_half).then_some(Step::Cast(ElementType::FLOAT16));
    adapt(head, half.as_slice(), limits)
}

/// The axes of one sample in an input that takes so many features; `None` where it takes something else.
fn axes_of(input: &ValueFacts, features: usize) -> Option<Vec<usize>> {
    let [_batch, axes @ ..] = input.dims.as_deref()? else { return None };
    if input.element != Some(ElementType::FLOAT32) {
        return None;
    }
    let length = |axis: &Dim| match axis {
        Dim::Fixed(length) => usize::try_from(*length).ok(),
        Dim::Symbol(_) | Dim::Unknown => None,
    };
    let stated: usize = axes.iter().filter_map(length).product();
    let rest = features.checked_div(stated).filter(|rest| rest * stated == features)?;
    let open = axes.iter().filter(|axis| length(axis).is_none()).count();
    // One axis may be of any length: it takes what the others leave.
    (open == 1 || (open == 0 && rest == 1)).then(|| axes.iter().map(|axis| length(axis).unwrap_or(rest)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_take_the_axes_of_the_input() {
        let axes = |dims: &[Dim], features| axes_of(&ValueFacts::float32("features", dims), features);
        let n = || Dim::symbol("N");
        assert_eq!(axes(&[n(), Dim::Fixed(6)], 6), Some(vec![6]));
        assert_eq!(axes(&[n(), Dim::Fixed(6), Dim::Fixed(1), Dim::Fixed(1)], 6), Some(vec![6, 1, 1]));
        assert_eq!(axes(&[n(), Dim::Unknown], 6), Some(vec![6]));
        assert_eq!(axes(&[n(), Dim::Fixed(2), Dim::Unknown], 6), Some(vec![2, 3]));
        for (dims, features) in [(vec![n(), Dim::Fixed(6)], 7), (vec![n(), n(), n()], 6), (vec![n()], 6), (vec![], 6)] {
            assert_eq!(axes(&dims, features), None, "{dims:?}");
        }
        let whole = ValueFacts { element: Some(ElementType::INT64), ..ValueFacts::float32("features", &[n(), n()]) };
        assert_eq!(axes_of(&whole, 6), None);
    }
}
