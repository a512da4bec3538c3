//! What a call asks for all its samples alike, or for each.

use headwater_types::{Epoch, Way};

use crate::status::Invalid;

/// One for all samples, or one for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice<T> {
    /// All samples have the same.
    All(T),
    /// Each sample has its own, in the order of the request.
    Each(Vec<T>),
}

/// The ways of a call's samples.
pub type Ways = Choice<Way>;

/// The passes whose randomness a call's samples have.
pub type Epochs = Choice<Epoch>;

// === impl Choice ===

impl<T: Copy + PartialEq> Choice<T> {
    /// The choice of each sample; a single one, where all are the same.
    pub fn of(each: Vec<T>) -> Self {
        match each[..] {
            [first, ref others @ ..] if others.iter().all(|other| *other == first) => Self::All(first),
            _ => Self::Each(each),
        }
    }

    /// What is asked for the sample at this place of the request.
    pub(crate) fn get(&self, position: usize) -> T {
        match self {
            Self::All(one) => *one,
            Self::Each(each) => each[position],
        }
    }

    /// Whether the predicate holds for some sample.
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
