//! What is asked for all samples of a call alike, or for each.

use headwater_types::{Cut, Epoch, PixelCoding};

use crate::status::Invalid;

/// One for all samples, or one for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice<T> {
    /// The same for all.
    All(T),
    /// One each, in the order of the samples.
    Each(Vec<T>),
}

/// How far samples are taken.
pub type Cuts = Choice<Cut>;

/// How their pixels may be coded.
pub type PixelCodings = Choice<PixelCoding>;

/// Addresses of their randomness.
pub type Epochs = Choice<Epoch>;

// === impl Choice ===

impl<T: Copy + PartialEq> Choice<T> {
    /// One for each sample, said once where they are all the same.
    pub fn of(each: Vec<T>) -> Self {
        match each[..] {
            [first, ref others @ ..] if others.iter().all(|other| *other == first) => Self::All(first),
            _ => Self::Each(each),
        }
    }

    /// The sample's at this place in the request.
    pub(crate) fn get(&self, position: usize) -> T {
        match self {
            Self::All(one) => *one,
            Self::Each(each) => each[position],
        }
    }

    /// Whether some sample's is such.
    pub fn any(&self, predicate: impl Fn(T) -> bool) -> bool {
        match self {
            Self::All(one) => predicate(*one),
            Self::Each(each) => each.iter().any(|one| predicate(*one)),
        }
    }
}

/// A list as it came, with one number for each sample.
pub(crate) fn each<N, T>(
    what: &str,
    numbers: Vec<N>,
    samples: usize,
    from: impl Fn(N) -> Result<T, Invalid>,
) -> Result<Choice<T>, Invalid> {
    if numbers.len() != samples {
        return Err(Invalid::new(format!("{} {what} for {samples} samples", numbers.len())));
    }
    Ok(Choice::Each(numbers.into_iter().map(from).collect::<Result<_, _>>()?))
}
