//! Which bytes of the target are held against which of the base.
//!
//! Tensors are matched by name, type and shape. One that has no such counterpart, or one that differs, is looked for by
//! its content; what is left is matched by type and shape alone, in order, since exporters number names anew. What lies
//! between tensors is matched as far as it is equal from both ends. Files that are no models are one such gap.

mod mates;

use std::ops::Range;

use headwater_onnx::{Limits, TensorPlace, places};

use crate::element::Element;
use crate::parts::{Kind, Part, Parts};

use mates::mates;

/// Smaller tensors count as what lies between tensors: a part of their own would cost as much.
const LEAST_TENSOR: usize = 16;
/// Fewest bytes that are copied between tensors.
const LEAST_COPY: usize = 8;

/// The parts that a target is put together from.
pub(crate) fn pairs(base: &[u8], target: &[u8]) -> Parts {
    let (of_base, of_target) = (tensors(base), tensors(target));
    let mates = mates(base, &of_base, target, &of_target);
    let mut pairing = Pairing { base, target, at: 0, parts: Parts::default() };
    let mut gap_behind_last = None;
    for (tensor, mate) in of_target.iter().zip(&mates) {
        let gap_before = mate.map(|mate| gap(base, &of_base, mate));
        pairing.gap(tensor.data.start, gap_before.or(gap_behind_last).unwrap_or_default());
        pairing.tensor(tensor, mate.map(|mate| &of_base[mate]));
        gap_behind_last = mate.map(|mate| gap(base, &of_base, mate + 1));
    }
    pairing.gap(target.len(), gap(base, &of_base, of_base.len()));
    pairing.parts
}

/// The tensors of a model; none of what is no model.
fn tensors(file: &[u8]) -> Vec<TensorPlace<'_>> {
    let mut found = places(file, &Limits::default()).unwrap_or_default();
    found.retain(|tensor| tensor.data.len() >= LEAST_TENSOR);
    found
}

/// What lies before a tensor, behind the one before it.
fn gap(file: &[u8], tensors: &[TensorPlace<'_>], before: usize) -> Range<usize> {
    let start = before.checked_sub(1).map_or(0, |last| tensors[last].data.end);
    start..tensors.get(before).map_or(file.len(), |tensor| tensor.data.start)
}

/// A target of which some parts are known.
struct Pairing<'a> {
    base: &'a [u8],
    target: &'a [u8],
    /// Bytes of the target that have parts.
    at: usize,
    parts: Parts,
}

// === impl Pairing ===

impl Pairing<'_> {
    fn push(&mut self, kind: Kind, length: usize, base: usize) {
        self.parts.push(Part { kind, length, base });
        self.at += length;
    }

    /// Goes on to `end` with what is no tensor, held against a range of the base.
    fn gap(&mut self, end: usize, against: Range<usize>) {
        let (here, there) = (&self.target[self.at..end], &self.base[against.clone()]);
        let head = equal(here.iter(), there.iter());
        if head == here.len() {
            return self.push(Kind::Copy, head, against.start);
        }
        let head = worth_copying(head);
        let (here, there) = (&here[head..], &there[head..]);
        let tail = worth_copying(equal(here.iter().rev(), there.iter().rev()));
        let middle = here.len() - tail;
        self.push(Kind::Copy, head, against.start);
        self.push(Kind::Fresh(Element::Byte), middle, 0);
        self.push(Kind::Copy, tail, against.end - tail);
    }

    fn tensor(&mut self, tensor: &TensorPlace<'_>, mate: Option<&TensorPlace<'_>>) {
        let length = tensor.data.len();
        let element = Element::of(tensor.element, length);
        match mate {
            None => self.push(Kind::Fresh(element), length, 0),
            Some(mate) => {
                let is_equal = self.base[mate.data.clone()] == self.target[tensor.data.clone()];
                let kind = if is_equal { Kind::Copy } else { Kind::Against(element) };
                self.push(kind, length, mate.data.start);
            }
        }
    }
}

/// How many of the first are equal.
fn equal<'a>(here: impl Iterator<Item = &'a u8>, there: impl Iterator<Item = &'a u8>) -> usize {
    here.zip(there).take_while(|(here, there)| here == there).count()
}

fn worth_copying(length: usize) -> usize {
    if length < LEAST_COPY { 0 } else { length }
}

#[cfg(test)]
mod tests {
    use headwater_onnx::GraphBuilder;

    use super::*;

    const FLOATS: Kind = Kind::Against(Element::Float32);

    fn model(tensors: &[(&str, f32)]) -> Vec<u8> {
        let mut graph = GraphBuilder::new("pairs");
        for (name, first) in tensors {
            graph.constant(name, &[8], &[*first, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        }
        graph.finish()
    }

    fn lengths(parts: &Parts, kind: Kind) -> Vec<usize> {
        parts.runs(kind).iter().map(|run| run.length).collect()
    }

    #[test]
    fn a_tensor_that_changed_is_held_against_its_namesake_wherever_it_lies() {
        let base = model(&[("a", 1.0), ("b", 20.5)]);
        let target = model(&[("b", 20.75), ("a", 1.0)]);
        let parts = pairs(&base, &target);
        let runs = parts.runs(FLOATS);
        let of_b = base.windows(4).position(|bytes| bytes == 20.5_f32.to_le_bytes()).unwrap();
        assert_eq!((runs.len(), runs[0].base, runs[0].length), (1, of_b, 32));
    }

    #[test]
    fn a_tensor_of_another_name_is_found_by_its_content_or_its_shape() {
        let base = model(&[("a", 1.0), ("b", 2.0)]);
        let moved = pairs(&base, &model(&[("c", 2.0), ("d", 1.0)]));
        assert_eq!(lengths(&moved, FLOATS), [0; 0]);
        let renamed = pairs(&base, &model(&[("c", 1.5), ("d", 2.5)]));
        assert_eq!(lengths(&renamed, FLOATS), [32, 32]);
        let more = pairs(&base, &model(&[("a", 1.0), ("b", 2.0), ("c", 9.0)]));
        assert_eq!(lengths(&more, Kind::Fresh(Element::Float32)), [32]);
    }

    #[test]
    fn what_is_equal_is_one_copy() {
        for file in [model(&[("a", 1.0), ("b", 2.0)]), b"no model at all".to_vec(), Vec::new()] {
            let parts = pairs(&file, &file);
            assert_eq!(lengths(&parts, Kind::Copy), Vec::from_iter((!file.is_empty()).then_some(file.len())));
        }
    }

    #[test]
    fn of_files_that_are_no_models_beginning_and_end_are_copied() {
        let parts = pairs(b"the beginning, old, and the end", b"the beginning, quite new, and the end");
        assert_eq!(lengths(&parts, Kind::Copy), [15, 13]);
        assert_eq!(lengths(&parts, Kind::Fresh(Element::Byte)), [9]);
    }
}
