//! Profile and resources together: the function from choices to seconds.

use super::line::Line;
use super::load::{Load, Rates};
use crate::error::{Lacking, PlanningError};
use crate::prediction::ResourceTime;
use crate::profile::{Profile, Server};
use crate::resources::{Resource, Resources};

/// Profile and resources, made ready to be added up.
#[derive(Clone, Debug)]
pub(crate) struct CostModel<'a> {
    pub(crate) profile: &'a Profile,
    /// One line for each limited resource, in order.
    pub(crate) lines: Vec<Line>,
    /// Servers without a core.
    pub(crate) without_cores: Vec<bool>,
    /// For each server the positions of the ways that it cannot serve; none, where it has no samples.
    lacks: Vec<Vec<usize>>,
    /// Whether the trainer has no cores.
    pub(crate) trainer_without_cores: bool,
    /// Whether devices infer, at servers or at the trainer.
    has_devices: bool,
}

// === impl CostModel ===

impl<'a> CostModel<'a> {
    pub(crate) fn new(profile: &'a Profile, resources: &Resources) -> Result<Self, PlanningError> {
        let servers = profile.servers();
        if resources.servers.len() != servers.len() {
            return Err(PlanningError::Servers { given: resources.servers.len(), expected: servers.len() });
        }
        let lacks = |server: &Server| {
            let held = server.lacks.iter().filter(|_| server.samples > 0);
            held.filter_map(|&way| profile.position(way)).collect()
        };
        Ok(Self {
            profile,
            lines: Line::all(profile, resources),
            without_cores: resources.servers.iter().map(|has| has.cores.is_zero()).collect(),
            lacks: servers.iter().map(lacks).collect(),
            trainer_without_cores: resources.trainer_cores.is_some_and(|cores| cores.is_zero()),
            has_devices: resources.trainer_devices.is_some()
                || resources.servers.iter().any(|has| has.devices.is_some()),
        })
    }

    /// Whether there is any way, or any load, that is not possible at this server.
    pub(crate) fn is_restricted(&self, server: usize) -> bool {
        self.without_cores[server] || self.trainer_without_cores || !self.lacks[server].is_empty()
    }

    /// What stands in the way of this load at this server, by the way at `position`.
    pub(crate) fn lacking(&self, server: usize, position: usize, load: Load) -> Option<Lacking> {
        if self.lacks[server].contains(&position) {
            return Some(Lacking::Service(server));
        }
        if self.without_cores[server] && load.storage > 0.0 {
            return Some(Lacking::Resource(Resource::StorageCpu(server)));
        }
        (self.trainer_without_cores && load.trainer > 0.0).then_some(Lacking::Resource(Resource::TrainerCpu))
    }

    /// Says that none of these ways is possible for a sample.
    pub(crate) fn no_way(&self, server: usize, index: usize, tried: &[usize]) -> PlanningError {
        let row = self.profile.row(index);
        let lacking = tried.iter().find_map(|&position| self.lacking(server, position, row.load(position)));
        PlanningError::NoWay {
            index,
            tried: tried.iter().map(|&position| self.profile.ways()[position]).collect(),
            lacking: lacking.unwrap_or(Lacking::Service(server)),
        }
    }

    /// Whether every choice is possible.
    pub(crate) fn check(&self, choices: &[u8]) -> Result<(), PlanningError> {
        for server in 0..self.without_cores.len() {
            if !self.is_restricted(server) {
                continue;
            }
            for index in self.profile.samples_of(server) {
                let position = usize::from(choices[index]);
                if self.lacking(server, position, self.profile.row(index).load(position)).is_some() {
                    return Err(self.no_way(server, index, &[position]));
                }
            }
        }
        Ok(())
    }

    /// The load of each server under these choices.
    pub(crate) fn loads(&self, choices: &[u8]) -> Vec<Load> {
        let of_server = |server: usize| {
            // Whole bytes: their sum is exact whatever the order.
            let (mut bytes, mut load) = (0_u64, Load::default());
            for index in self.profile.samples_of(server) {
                let (row, choice) = (self.profile.row(index), usize::from(choices[index]));
                bytes += u64::from(row.bytes[choice]);
                load.storage += row.storage[choice];
                load.trainer += row.trainer[choice];
                let [there, here] = row.inferred(choice);
                load.inferred_there += there;
                load.inferred_here += here;
            }
            Load { bytes: bytes as f64, ..load }
        };
        (0..self.without_cores.len()).map(of_server).collect()
    }

    /// For each way the load of each server if all samples travelled by it.
    pub(crate) fn uniform_loads(&self) -> Vec<Vec<Load>> {
        let mut loads = vec![vec![Load::default(); self.without_cores.len()]; self.profile.ways().len()];
        for server in 0..self.without_cores.len() {
            for index in self.profile.samples_of(server) {
                let row = self.profile.row(index);
                for (position, loads) in loads.iter_mut().enumerate() {
                    loads[server].add(row.load(position));
                }
            }
        }
        loads
    }

    /// Seconds of each resource, in the order of `lines`.
    pub(crate) fn seconds(&self, loads: &[Load]) -> Vec<f64> {
        let mut all = Load::default();
        loads.iter().for_each(|load| all.add(*load));
        let seconds = |line: &Line| line.fixed + line.rates.of(line.server.map_or(all, |server| loads[server]));
        self.lines.iter().map(seconds).collect()
    }

    /// The epoch: the largest of these seconds.
    pub(crate) fn epoch(seconds: &[f64]) -> f64 {
        seconds.iter().copied().fold(0.0, f64::max)
    }

    /// The worth of a unit of load at each server, given the price of a second of each resource.
    pub(crate) fn rates(&self, prices: &[f64]) -> Vec<Rates> {
        let mut rates = vec![Rates::default(); self.without_cores.len()];
        for (line, price) in self.lines.iter().zip(prices) {
            let touched = match line.server {
                Some(server) => &mut rates[server..=server],
                None => &mut rates[..],
            };
            for rate in touched {
                rate.byte += price * line.rates.byte;
                rate.storage += price * line.rates.storage;
                rate.trainer += price * line.rates.trainer;
                rate.inferred_there += price * line.rates.inferred_there;
                rate.inferred_here += price * line.rates.inferred_here;
            }
        }
        rates
    }

    /// The worth of the fixed seconds at these prices.
    pub(crate) fn fixed(&self, prices: &[f64]) -> f64 {
        self.lines.iter().zip(prices).map(|(line, price)| line.fixed * price).sum()
    }

    /// A load as bits: of loads that are alike to every resource the same. Inference counts only where devices do it.
    pub(crate) fn bits(&self, load: Load) -> [u64; 5] {
        let Load { bytes, storage, trainer, inferred_there, inferred_here } = load;
        let counted = |count: f64| if self.has_devices { count } else { 0.0 };
        [bytes, storage, trainer, counted(inferred_there), counted(inferred_here)].map(f64::to_bits)
    }

    /// Resources with their seconds and prices.
    pub(crate) fn times(&self, seconds: &[f64], prices: &[f64]) -> Vec<ResourceTime> {
        let time = |((line, &seconds), &price): ((&Line, &f64), &f64)| ResourceTime {
            resource: line.resource,
            seconds,
            price,
        };
        self.lines.iter().zip(seconds).zip(prices).map(time).collect()
    }
}
