//! Where a network is cut: the tensors that go from its front, at a server, to its back, at the tuner.

use std::fmt;
use std::str::FromStr;

use crate::caps::{MAX_CUT_TENSORS, MAX_TENSOR_NAME_BYTES};
use crate::digest::{Digest, Digester};

/// The names of the tensors of a cut, in the order in which they travel. Written with a comma between them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkCut(Vec<String>);

/// Names that make no cut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkCutError {
    /// There is none, or there are too many.
    #[error("a network is cut at 1 to {MAX_CUT_TENSORS} tensors, and here are {0}: profiler model lists the cuts")]
    Count(usize),
    /// A name is empty or too long.
    #[error("a tensor's name has 1 to {MAX_TENSOR_NAME_BYTES} bytes, and one of the cut has {0}")]
    Name(usize),
    /// A tensor is named twice.
    #[error("the tensor {0:?} stands twice in the cut: name it once")]
    Twice(String),
}

// === impl NetworkCut ===

impl NetworkCut {
    /// The cut at these tensors.
    ///
    /// # Errors
    /// No tensor or too many, a name that no tensor has, and one that stands twice.
    pub fn new(tensors: Vec<String>) -> Result<Self, NetworkCutError> {
        if !(1..=MAX_CUT_TENSORS).contains(&tensors.len()) {
            return Err(NetworkCutError::Count(tensors.len()));
        }
        if let Some(bad) = tensors.iter().find(|name| !(1..=MAX_TENSOR_NAME_BYTES).contains(&name.len())) {
            return Err(NetworkCutError::Name(bad.len()));
        }
        let twice = tensors.iter().enumerate().find(|(place, name)| tensors[..*place].contains(name));
        match twice {
            Some((_, name)) => Err(NetworkCutError::Twice(name.clone())),
            None => Ok(Self(tensors)),
        }
    }

    /// The names of its tensors, one at least.
    pub fn tensors(&self) -> &[String] {
        &self.0
    }

    /// What the front of a model is known by, for which servers and clients hold each other: the model's digest, the
    /// output for which it is cut, and the tensors.
    pub fn digest(&self, model: Digest, output: &str) -> Digest {
        let mut digester = Digester::default();
        digester.field(&model.as_bytes()[..]).field(output.as_bytes());
        for name in &self.0 {
            digester.field(name.as_bytes());
        }
        digester.finish()
    }
}

impl FromStr for NetworkCut {
    type Err = NetworkCutError;

    fn from_str(text: &str) -> Result<Self, NetworkCutError> {
        Self::new(text.split(',').map(str::to_owned).collect())
    }
}

impl fmt::Display for NetworkCut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_one_to_four_tensors_each_named_once() {
        let cut: NetworkCut = "block_1/add,relu6:0".parse().unwrap();
        assert_eq!((cut.tensors().len(), cut.to_string().as_str()), (2, "block_1/add,relu6:0"));
        let error = |text: &str| text.parse::<NetworkCut>().unwrap_err();
        assert_eq!(error("a,b,c,d,e"), NetworkCutError::Count(5));
        assert_eq!(NetworkCut::new(Vec::new()), Err(NetworkCutError::Count(0)));
        assert_eq!(error("a,,b"), NetworkCutError::Name(0));
        assert_eq!(error(&"x".repeat(MAX_TENSOR_NAME_BYTES + 1)), NetworkCutError::Name(MAX_TENSOR_NAME_BYTES + 1));
        assert_eq!(error("a,b,a"), NetworkCutError::Twice("a".to_owned()));
    }

    #[test]
    fn fronts_of_other_models_outputs_and_tensors_have_other_digests() {
        let cut = |text: &str| text.parse::<NetworkCut>().unwrap();
        let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
        let all = [
            cut("a,b").digest(one, "features"),
            cut("b,a").digest(one, "features"),
            NetworkCut::new(vec!["a,b".to_owned()]).unwrap().digest(one, "features"),
            cut("a,b").digest(other, "features"),
            cut("a,b").digest(one, "logits"),
        ];
        assert!(all.iter().enumerate().all(|(place, digest)| !all[..place].contains(digest)));
    }
}
