//! Kinds for a whole dataset, so that an epoch is short.

use std::cmp::Ordering;

use super::hull::{Choice, steps};

/// Halvings of the range in which the weight of the network lies.
const HALVINGS: usize = 40;

/// What an access costs, in seconds of everything that there is: bytes over bandwidth, CPU seconds over cores.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Seconds of the network from the origin.
    pub network: f64,
    /// Seconds of all cores.
    pub cpu: f64,
}

/// A sample: what it costs where nothing of it is kept, and bytes and cost for each kind that may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Where nothing of it is kept.
    pub origin: Cost,
    /// Bytes of each kind, and the cost of an access where it is kept.
    pub kinds: Vec<(u64, Cost)>,
}

/// A kind for each sample, or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// By sample.
    pub kinds: Vec<Option<usize>>,
    /// What an epoch costs.
    pub epoch: Cost,
    /// Bytes of all kinds.
    pub bytes: u64,
}

// === impl Split ===

impl Split {
    /// Seconds of an epoch: network and cores work at the same time.
    pub fn seconds(&self) -> f64 {
        self.epoch.network.max(self.epoch.cpu)
    }

    fn of(samples: &[Sample], kinds: Vec<Option<usize>>) -> Self {
        let (mut epoch, mut bytes) = (Cost::default(), 0);
        for (sample, kind) in samples.iter().zip(&kinds) {
            let (taken, cost) = sample.at(*kind);
            epoch.network += cost.network;
            epoch.cpu += cost.cpu;
            bytes += taken;
        }
        Self { kinds, epoch, bytes }
    }
}

// === impl Sample ===

impl Sample {
    fn at(&self, kind: Option<usize>) -> (u64, Cost) {
        kind.and_then(|kind| self.kinds.get(kind)).copied().unwrap_or((0, self.origin))
    }

    /// What each kind saves, where the network's seconds count so much and those of cores the rest.
    fn choices(&self, weight: f64) -> Vec<Choice> {
        let saved =
            |cost: Cost| weight * (self.origin.network - cost.network) + (1.0 - weight) * (self.origin.cpu - cost.cpu);
        self.kinds.iter().map(|&(bytes, cost)| Choice { bytes, value: saved(cost) }).collect()
    }
}

/// The kind of each sample, within so many bytes, for which an epoch takes the fewest seconds.
///
/// An epoch takes as long as the longer of the two resources. At the optimum of the linear relaxation each has a price
/// (its dual value), and each sample the kind that saves most at these prices, for its bytes. The prices are found by
/// halving; between the two choices around them samples change one after the other. What remains is a sample or two
/// that would have to be kept in part.
pub fn split(samples: &[Sample], capacity: u64) -> Split {
    let at = |weight| Split::of(samples, greedy(samples, capacity, weight));
    let (mut low, mut high) = (0.0, 1.0);
    let (mut by_cpu, mut by_network) = (at(low), at(high));
    for _ in 0..HALVINGS {
        let weight = f64::midpoint(low, high);
        let middle = at(weight);
        if middle.epoch.network > middle.epoch.cpu {
            (low, by_cpu) = (weight, middle);
        } else {
            (high, by_network) = (weight, middle);
        }
    }
    between(samples, capacity, &by_cpu, by_network)
}

/// The best of the choices between two: up to some sample those of the one, from there those of the other.
fn between(samples: &[Sample], capacity: u64, one: &Split, other: Split) -> Split {
    let seconds = |epoch: Cost| epoch.network.max(epoch.cpu);
    let (mut epoch, mut bytes) = (other.epoch, other.bytes);
    let mut best = (seconds(epoch), 0);
    for (place, sample) in samples.iter().enumerate() {
        let ((taken, cost), (left, before)) = (sample.at(one.kinds[place]), sample.at(other.kinds[place]));
        bytes = bytes + taken - left;
        epoch.network += cost.network - before.network;
        epoch.cpu += cost.cpu - before.cpu;
        if bytes <= capacity && seconds(epoch) < best.0 {
            best = (seconds(epoch), place + 1);
        }
    }
    if best.1 == 0 {
        return other;
    }
    let kinds = [&one.kinds[..best.1], &other.kinds[best.1..]].concat();
    Split::of(samples, kinds)
}

/// Steps of all samples by what they save for each byte, while there is room. Where one has no room, the next ones of
/// other samples may have.
fn greedy(samples: &[Sample], capacity: u64, weight: f64) -> Vec<Option<usize>> {
    let of = |(number, sample): (usize, &Sample)| {
        let steps = steps(&sample.choices(weight));
        steps.into_iter().enumerate().map(move |(place, step)| (number, place, step)).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = samples.iter().enumerate().flat_map(of).collect();
    all.sort_by(|a, b| b.2.density.partial_cmp(&a.2.density).unwrap_or(Ordering::Equal).then(a.1.cmp(&b.1)));
    let (mut kinds, mut bought, mut bytes) = (vec![None; samples.len()], vec![0; samples.len()], 0);
    for (number, place, step) in all {
        if bought[number] == place && bytes + step.bytes <= capacity {
            (kinds[number], bought[number], bytes) = (Some(step.kind), place + 1, bytes + step.bytes);
        }
    }
    kinds
}
