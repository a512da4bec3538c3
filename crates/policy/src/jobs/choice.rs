//! The samples of an epoch where it has not all of them: a list, and where in it each sample stands.

use headwater_types::caps::MAX_ANNOUNCED_CHOICE;

/// Samples of a dataset, each at most once, in a job's own order: 8 bytes for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    samples: Box<[u32]>,
    /// Places in `samples`, in the order of the samples.
    places: Box<[u32]>,
}

/// Why a list of samples cannot be an epoch's choice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// It is too long.
    #[error("a choice of {0} samples is longer than the {MAX_ANNOUNCED_CHOICE} that can be announced")]
    TooLong(usize),
    /// An index takes more than 32 bits.
    #[error("sample {0} of a choice is past the 4,294,967,295 samples that can be announced")]
    TooHigh(u64),
    /// A sample comes more than once, so that its next access is not one position.
    #[error("sample {0} comes twice in a choice")]
    Twice(u32),
}

// === impl Choice ===

impl Choice {
    /// The choice of these samples, in this order.
    ///
    /// # Errors
    /// A list that is too long, an index that is too high, or a sample that comes twice.
    pub fn new(samples: &[u64]) -> Result<Self, ChoiceError> {
        if samples.len() > MAX_ANNOUNCED_CHOICE {
            return Err(ChoiceError::TooLong(samples.len()));
        }
        let narrow = |&sample: &u64| u32::try_from(sample).map_err(|_| ChoiceError::TooHigh(sample));
        let samples: Box<[u32]> = samples.iter().map(narrow).collect::<Result<_, _>>()?;
        let mut places: Box<[u32]> = (0..).zip(&*samples).map(|(place, _)| place).collect();
        let sample = |place: u32| samples.get(place as usize).copied();
        places.sort_unstable_by_key(|&place| sample(place));
        let twice = places.windows(2).find_map(|pair| match *pair {
            [one, other] if sample(one) == sample(other) => sample(one),
            _ => None,
        });
        match twice {
            Some(sample) => Err(ChoiceError::Twice(sample)),
            None => Ok(Self { samples, places }),
        }
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The sample at this place.
    pub fn at(&self, place: u64) -> Option<u64> {
        self.samples.get(usize::try_from(place).ok()?).map(|&sample| sample.into())
    }

    /// The place of this sample; `None` where it was not chosen.
    pub fn place_of(&self, sample: u64) -> Option<u64> {
        let sample = u32::try_from(sample).ok()?;
        let of = |place: &u32| self.samples.get(*place as usize).copied().unwrap_or(u32::MAX);
        let found = self.places.binary_search_by_key(&sample, of).ok()?;
        self.places.get(found).map(|&place| place.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_knows_the_place_of_each_sample() {
        let choice = Choice::new(&[7, 3, 9, 0]).unwrap();
        assert_eq!([7, 3, 9, 0, 1].map(|sample| choice.place_of(sample)), [Some(0), Some(1), Some(2), Some(3), None]);
        assert_eq!([0, 3, 4].map(|place| choice.at(place)), [Some(7), Some(0), None]);
        assert_eq!(choice.place_of(1 << 40), None);
    }

    #[test]
    fn what_cannot_be_a_choice_is_refused() {
        assert_eq!(Choice::new(&[1, 2, 1]), Err(ChoiceError::Twice(1)));
        assert_eq!(Choice::new(&[1 << 32]), Err(ChoiceError::TooHigh(1 << 32)));
        let long: Vec<u64> = (0..=MAX_ANNOUNCED_CHOICE as u64).collect();
        assert_eq!(Choice::new(&long), Err(ChoiceError::TooLong(long.len())));
        assert!(Choice::new(&[]).unwrap().is_empty());
    }
}
