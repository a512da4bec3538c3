//! All weights of a head in one row: what travels between those who train it and whoever averages it.

use std::iter::{once, zip};

use crate::error::LearnError;
use crate::head::Head;
use crate::network::{Linear, Network};

/// The numbers of a head's network, layer after layer: each layer's weights `[outputs, inputs]` row by row, then its
/// bias `[outputs]`. They are for features that are standardised as the head does it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters(Vec<f32>);

// === impl Parameters ===

impl Parameters {
    /// These numbers.
    pub fn new(values: Vec<f32>) -> Self {
        Self(values)
    }

    /// So many zeros.
    pub fn zeros(len: usize) -> Self {
        Self(vec![0.0; len])
    }

    /// The numbers.
    pub fn values(&self) -> &[f32] {
        &self.0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether each is a number.
    pub fn is_finite(&self) -> bool {
        self.0.iter().all(|value| value.is_finite())
    }

    /// The Euclidean norm.
    pub fn norm(&self) -> f64 {
        self.0.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt()
    }

    /// The way from `base`, of the same length, to these.
    #[must_use]
    pub fn since(&self, base: &Self) -> Self {
        Self(zip(&self.0, &base.0).map(|(now, before)| now - before).collect())
    }

    /// Adds `scale` times `other`, of the same length.
    pub fn add_scaled(&mut self, other: &Self, scale: f32) {
        zip(&mut self.0, &other.0).for_each(|(value, other)| *value += scale * other);
    }

    /// Multiplies each number.
    pub fn scale(&mut self, by: f32) {
        self.0.iter_mut().for_each(|value| *value *= by);
    }

    /// Two rows that came as one, of as many numbers each.
    pub fn halves(mut self) -> (Self, Option<Self>) {
        let second = self.0.split_off(self.0.len() / 2);
        (self, Some(Self(second)))
    }

    /// The numbers as they travel: f32, the lowest byte first.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// Numbers that have travelled; `None` where the last one is cut.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (values, rest) = bytes.as_chunks::<4>();
        rest.is_empty().then(|| Self(values.iter().copied().map(f32::from_le_bytes).collect()))
    }
}

// === impl Network ===

impl Network {
    /// Takes these numbers, which are as many as it has.
    pub(crate) fn set(&mut self, parameters: &Parameters) {
        let mut rest = parameters.values().iter();
        for layer in &mut self.layers {
            zip(layer.weight.iter_mut().chain(&mut layer.bias), &mut rest).for_each(|(place, value)| *place = *value);
        }
    }
}

// === impl Head ===

impl Head {
    /// The weights as one row.
    pub fn parameters(&self) -> Parameters {
        let of = |layer: &Linear| layer.weight.iter().chain(&layer.bias).copied().collect::<Vec<_>>();
        Parameters(self.network().layers.iter().flat_map(of).collect())
    }

    /// Puts these weights in the place of the head's own.
    ///
    /// # Errors
    /// [`LearnError::Parameters`] where they are not as many, or are not all numbers. The head stays as it was.
    pub fn set_parameters(&mut self, parameters: &Parameters) -> Result<(), LearnError> {
        let (expected, actual) = (self.parameter_count(), parameters.len());
        if expected != actual {
            return Err(LearnError::Parameters { expected, actual });
        }
        if let Some(position) = parameters.values().iter().position(|value| !value.is_finite()) {
            return Err(LearnError::NotFinite { position, value: parameters.values()[position] });
        }
        self.network_mut().set(parameters);
        Ok(())
    }

    /// How many weights there are.
    pub fn parameter_count(&self) -> usize {
        let of = |layer: &Linear| layer.weight.len() + layer.bias.len();
        self.network().layers.iter().map(of).chain(once(0)).sum()
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::Seed;

    use super::*;
    use crate::head::HeadKind;

    fn head() -> Head {
        Head::new(HeadKind::Mlp { hidden: 3 }, 4, 2, Seed(1)).unwrap()
    }

    #[test]
    fn weights_that_travel_are_the_same_head_at_the_other_end() {
        let there = head();
        let bytes = there.parameters().to_bytes();
        assert_eq!(bytes.len(), (3 * 4 + 3 + 2 * 3 + 2) * 4);
        let mut here = Head::new(HeadKind::Mlp { hidden: 3 }, 4, 2, Seed(2)).unwrap();
        here.set_parameters(&Parameters::from_bytes(&bytes).unwrap()).unwrap();
        assert_eq!(here.parameters(), there.parameters());
        assert_eq!(here.logits(&[1.0, 2.0, 3.0, 4.0]), there.logits(&[1.0, 2.0, 3.0, 4.0]));
        assert_eq!(Parameters::from_bytes(&bytes[1..]), None);
    }

    #[test]
    fn weights_of_another_head_and_weights_that_are_no_numbers_are_refused() {
        let mut head = head();
        let before = head.clone();
        let short = head.set_parameters(&Parameters::zeros(22));
        assert_eq!(short, Err(LearnError::Parameters { expected: 23, actual: 22 }));
        let mut values = head.parameters().values().to_vec();
        values[7] = f32::NAN;
        let refused = head.set_parameters(&Parameters::new(values));
        assert!(matches!(refused, Err(LearnError::NotFinite { position: 7, .. })), "{refused:?}");
        assert_eq!(head, before);
    }

    #[test]
    fn ways_add_up() {
        let (base, now) = (Parameters::new(vec![1.0, 2.0]), Parameters::new(vec![4.0, 6.0]));
        let way = now.since(&base);
        assert_eq!((way.values(), way.norm()), (&[3.0, 4.0][..], 5.0));
        let mut there = base;
        there.add_scaled(&way, 1.0);
        assert_eq!(there, now);
    }
}
