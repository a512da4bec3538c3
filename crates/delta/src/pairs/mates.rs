//! The counterpart of each tensor.

use std::collections::{HashMap, HashSet, VecDeque};

use headwater_onnx::TensorPlace;

/// Bytes in the middle of a tensor by which it is looked for.
const SAMPLE: usize = 64;
/// Most tensors of one sample that are compared: models of thousands of equal beginnings take no longer than others.
const MOST_ALIKE: usize = 8;

/// For each tensor of the target its counterpart in the base, which has as many bytes.
pub(super) fn mates(
    base: &[u8],
    of_base: &[TensorPlace<'_>],
    target: &[u8],
    of_target: &[TensorPlace<'_>],
) -> Vec<Option<usize>> {
    let mut mates = by_name(of_base, of_target);
    let content = Content::of(base, of_base);
    for (mate, tensor) in mates.iter_mut().zip(of_target) {
        let bytes = &target[tensor.data.clone()];
        let is_equal = |mate: usize| &base[of_base[mate].data.clone()] == bytes;
        if !mate.is_some_and(is_equal) {
            *mate = content.find(bytes, is_equal).or(*mate);
        }
    }
    by_shape(of_base, of_target, &mut mates);
    mates
}

fn by_name(of_base: &[TensorPlace<'_>], of_target: &[TensorPlace<'_>]) -> Vec<Option<usize>> {
    // Of several that are named alike the first counts.
    let named: HashMap<_, _> = of_base.iter().enumerate().rev().map(|(at, tensor)| (tensor.name, at)).collect();
    let is_like = |mate: &usize, tensor: &TensorPlace<'_>| shape(&of_base[*mate]) == shape(tensor);
    let mate = |tensor: &TensorPlace<'_>| named.get(tensor.name).copied().filter(|mate| is_like(mate, tensor));
    of_target.iter().map(mate).collect()
}

/// What two tensors must have in common to be held against each other.
fn shape<'a>(tensor: &'a TensorPlace<'_>) -> (u64, &'a [u64], usize) {
    (tensor.element.0, &tensor.dims, tensor.data.len())
}

/// Gives those that have no counterpart one of their shape, in the order of both files.
fn by_shape(of_base: &[TensorPlace<'_>], of_target: &[TensorPlace<'_>], mates: &mut [Option<usize>]) {
    let taken: HashSet<_> = mates.iter().flatten().copied().collect();
    let mut free: HashMap<_, VecDeque<usize>> = HashMap::new();
    for (at, tensor) in of_base.iter().enumerate().filter(|(at, _)| !taken.contains(at)) {
        free.entry(shape(tensor)).or_default().push_back(at);
    }
    for (mate, tensor) in mates.iter_mut().zip(of_target).filter(|(mate, _)| mate.is_none()) {
        *mate = free.get_mut(&shape(tensor)).and_then(VecDeque::pop_front);
    }
}

/// The tensors of a model by their content: by their length and some bytes of them.
struct Content<'a> {
    alike: HashMap<(usize, &'a [u8]), Vec<usize>>,
}

// === impl Content ===

impl<'a> Content<'a> {
    fn of(file: &'a [u8], tensors: &[TensorPlace<'_>]) -> Self {
        let mut alike: HashMap<_, Vec<usize>> = HashMap::new();
        for (at, tensor) in tensors.iter().enumerate() {
            let places = alike.entry(sample(&file[tensor.data.clone()])).or_default();
            if places.len() < MOST_ALIKE {
                places.push(at);
            }
        }
        Self { alike }
    }

    /// A tensor of these bytes.
    fn find(&self, bytes: &[u8], is_equal: impl Fn(usize) -> bool) -> Option<usize> {
        self.alike.get(&sample(bytes))?.iter().copied().find(|at| is_equal(*at))
    }
}

fn sample(bytes: &[u8]) -> (usize, &[u8]) {
    let start = (bytes.len() / 2).min(bytes.len().saturating_sub(SAMPLE));
    (bytes.len(), &bytes[start..bytes.len().min(start + SAMPLE)])
}
