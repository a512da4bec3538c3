//! The planning problem as its solvers see it: which ways each sample may take, and what they are worth at given
//! prices.

use crate::cost::{CostModel, Load, Rates};
use crate::error::PlanningError;
use crate::profile::ProfileRow;

/// The planning problem.
#[derive(Clone, Debug)]
pub(super) struct Problem<'a> {
    pub(super) model: &'a CostModel<'a>,
    /// Positions of the profile's ways that may be used, in order.
    pub(super) allowed: &'a [usize],
}

/// Prices of resources, and the bound that they prove.
#[derive(Clone, Debug)]
pub(in crate::planner) struct Dual {
    /// The bound in seconds: no assignment has a shorter epoch.
    pub(in crate::planner) bound: f64,
    /// The price of a second of each of the model's lines; prices sum to 1.
    pub(in crate::planner) prices: Vec<f64>,
}

/// Some of the samples, standing for all: every `stride`-th of each server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    stride: usize,
}

/// What the cheapest choices at given prices add up to.
#[derive(Clone, Debug)]
pub(super) struct Pass {
    /// The load of each server.
    pub(super) loads: Vec<Load>,
    /// The worth of these loads: the Lagrangian's value at these prices, without the fixed seconds.
    pub(super) worth: f64,
    /// The choice of each sample; empty where not all were looked at.
    pub(super) choices: Vec<u8>,
}

// === impl View ===

impl View {
    pub(super) const WHOLE: Self = Self { stride: 1 };

    /// A view of about this many samples. The stride is odd, and prime to the numbers by which people repeat data.
    pub(super) fn of_about(samples: usize, all: usize) -> Self {
        let stride = all / samples.max(1);
        Self { stride: if stride < 2 { 1 } else { stride / 30 * 30 + 31 } }
    }

    pub(super) fn is_whole(self) -> bool {
        self.stride == 1
    }
}

// === impl Problem ===

impl<'a> Problem<'a> {
    /// # Errors
    /// [`PlanningError::NoWay`] for the first sample that has no possible way.
    pub(super) fn new(model: &'a CostModel<'a>, allowed: &'a [usize]) -> Result<Self, PlanningError> {
        let profile = model.profile;
        for server in 0..profile.servers().len() {
            if !model.is_restricted(server) {
                continue;
            }
            for index in profile.samples_of(server) {
                let row = profile.row(index);
                if allowed.iter().all(|&position| model.lacking(server, position, row.load(position)).is_some()) {
                    return Err(model.no_way(server, index, allowed));
                }
            }
        }
        Ok(Self { model, allowed })
    }

    /// Whether a sample of this server may take the way at `position`.
    pub(super) fn is_possible(&self, server: usize, index: usize, position: usize) -> bool {
        self.model.lacking(server, position, self.model.profile.row(index).load(position)).is_none()
    }

    /// The cheapest way of each sample at these rates; of equals the earliest cut.
    pub(super) fn cheapest(&self, rates: &[Rates], view: View) -> Pass {
        let profile = self.model.profile;
        let mut choices = if view.is_whole() { vec![0; profile.len()] } else { Vec::new() };
        let (mut loads, mut worth) = (Vec::with_capacity(rates.len()), 0.0);
        for (server, &rates) in rates.iter().enumerate() {
            let range = profile.samples_of(server);
            let restricted = self.model.is_restricted(server);
            let beside = self.beside(rates);
            let (mut bytes, mut load, mut sum, mut seen) = (0_u64, Load::default(), 0.0, 0_usize);
            for index in range.clone().step_by(view.stride) {
                let row = profile.row(index);
                let (best, least) = if restricted {
                    self.cheapest_possible(server, index, row, rates)
                } else {
                    cheapest_of(row, rates, &beside)
                };
                seen += 1;
                sum += least;
                bytes += u64::from(row.bytes[best]);
                load.storage += row.storage[best];
                load.trainer += row.trainer[best];
                let [there, here] = row.inferred(best);
                load.inferred_there += there;
                load.inferred_here += here;
                if let Some(choice) = choices.get_mut(index) {
                    *choice = best as u8;
                }
            }
            load.bytes = bytes as f64;
            let weight = if seen == 0 { 1.0 } else { range.len() as f64 / seen as f64 };
            loads.push(Load::default().plus(weight, load));
            worth += weight * sum;
        }
        Pass { loads, worth, choices }
    }

    /// What each way is worth at these rates beside its bytes and CPU seconds: inference, which is the same for every
    /// sample. A way that may not be chosen costs more than anything.
    fn beside(&self, rates: Rates) -> Vec<f64> {
        let profile = self.model.profile;
        let mut beside = vec![f64::INFINITY; profile.ways().len()];
        for &position in self.allowed {
            let [there, here] = profile.inferred(position);
            beside[position] = rates.inferred_there * there + rates.inferred_here * here;
        }
        beside
    }

    fn cheapest_possible(&self, server: usize, index: usize, row: ProfileRow<'_>, rates: Rates) -> (usize, f64) {
        let mut best = (0, f64::INFINITY);
        for &position in self.allowed {
            let worth = rates.of(row.load(position));
            if worth < best.1 && self.is_possible(server, index, position) {
                best = (position, worth);
            }
        }
        best
    }
}

/// The loop in which a planner spends its time: eight million times for a million samples at eight ways.
#[inline]
fn cheapest_of(row: ProfileRow<'_>, rates: Rates, beside: &[f64]) -> (usize, f64) {
    let mut best = (0, f64::INFINITY);
    let costs = row.bytes.iter().zip(row.storage).zip(row.trainer).zip(beside);
    for (position, (((&bytes, storage), trainer), beside)) in costs.enumerate() {
        let worth = rates.byte * f64::from(bytes) + rates.storage * storage + rates.trainer * trainer + beside;
        if worth < best.1 {
            best = (position, worth);
        }
    }
    best
}
