//! The order of an epoch, as far as it concerns the part of a dataset that one server has. It is computed.

use std::ops::Range;
use std::sync::Arc;

use headwater_types::{Address, Epoch, Permutation};

use super::choice::Choice;

/// What a job says of an epoch's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderSettings {
    /// Seed and number of the epoch.
    pub address: Address,
    /// Whether the samples come in the permutation of that address; else in the order of the dataset or the choice.
    pub shuffle: bool,
    /// Samples of the whole dataset, on all servers.
    pub samples: u64,
    /// The samples of the whole dataset that this server has.
    pub part: Range<u64>,
    /// The epoch's samples, as indices into the whole dataset; `None`: all.
    pub choice: Option<Arc<Choice>>,
    /// Whether the epochs that follow have the same samples.
    pub repeats: bool,
}

/// An epoch's order. Positions count the whole epoch on all servers; samples are those of this server, from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochOrder {
    settings: OrderSettings,
    permutation: Option<Permutation>,
}

// === impl OrderSettings ===

impl OrderSettings {
    /// How many samples the epoch has, on all servers.
    pub fn len(&self) -> u64 {
        self.choice.as_ref().map_or(self.samples, |choice| choice.len() as u64)
    }

    /// Whether the epoch has no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

// === impl EpochOrder ===

impl EpochOrder {
    /// The order of these settings.
    pub fn new(settings: OrderSettings) -> Self {
        let permutation = settings.shuffle.then(|| Permutation::of_epoch(settings.len(), settings.address));
        Self { settings, permutation }
    }

    /// What it was made of.
    pub fn settings(&self) -> &OrderSettings {
        &self.settings
    }

    /// How many samples the epoch has, on all servers.
    pub fn len(&self) -> u64 {
        self.settings.len()
    }

    /// Whether the epoch has no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The order of the epoch that follows; `None` where its samples are not known.
    pub fn next(&self) -> Option<Self> {
        let Address { seed, epoch } = self.settings.address;
        let epoch = Epoch(epoch.0.checked_add(1)?);
        let next = || Self::new(OrderSettings { address: Address { seed, epoch }, ..self.settings.clone() });
        self.settings.repeats.then(next)
    }

    /// The position of one of this server's samples; `None` where the epoch has it not.
    pub fn position_of(&self, sample: u64) -> Option<u64> {
        let OrderSettings { part, choice, .. } = &self.settings;
        let sample = part.start.checked_add(sample).filter(|sample| part.contains(sample))?;
        let place = choice.as_ref().map_or(Some(sample), |choice| choice.place_of(sample))?;
        self.permutation.as_ref().map_or(Some(place), |permutation| permutation.position_of(place))
    }

    /// The sample at this position, where this server has it.
    pub fn at(&self, position: u64) -> Option<u64> {
        let OrderSettings { part, choice, .. } = &self.settings;
        let place = self.permutation.as_ref().map_or(Some(position), |permutation| permutation.at(position))?;
        let sample = choice.as_ref().map_or(Some(place), |choice| choice.at(place))?;
        part.contains(&sample).then(|| sample - part.start)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn order(choice: Option<&[u64]>, shuffle: bool, part: Range<u64>) -> EpochOrder {
        let choice = choice.map(|samples| Arc::new(Choice::new(samples).unwrap()));
        let address = Address::new(7, 3);
        EpochOrder::new(OrderSettings { address, shuffle, samples: 100, part, choice, repeats: true })
    }

    proptest! {
        /// The parts of all servers together have each position once, and each knows its own.
        #[test]
        fn servers_have_each_position_once(cut in 0_u64..=100, shuffle: bool, chosen: bool) {
            let list: Vec<u64> = (0..100).rev().step_by(3).collect();
            let choice = chosen.then_some(&list[..]);
            let parts = [order(choice, shuffle, 0..cut), order(choice, shuffle, cut..100)];
            for position in 0..parts[0].len() {
                let found: Vec<_> = parts.iter().filter_map(|part| Some((part, part.at(position)?))).collect();
                prop_assert_eq!(found.len(), 1);
                prop_assert_eq!(found[0].0.position_of(found[0].1), Some(position));
            }
            prop_assert_eq!(parts.map(|part| part.at(if chosen { list.len() as u64 } else { 100 })), [None, None]);
        }
    }

    #[test]
    fn an_epoch_that_follows_has_another_order_of_the_same_samples() {
        let order = order(Some(&[5, 50]), true, 0..50);
        let next = order.next().unwrap();
        assert_eq!(next.settings().address, Address::new(7, 4));
        assert!(next.position_of(5).is_some());
        assert_eq!((next.position_of(50), next.position_of(6)), (None, None));
        let once = OrderSettings { repeats: false, ..order.settings().clone() };
        assert_eq!(EpochOrder::new(once).next(), None);
    }
}
