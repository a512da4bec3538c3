//! What an epoch costs: the one function from choices to seconds, for every algorithm.
//!
//! Each resource's seconds are what it has to do over what it can do in a second:
//!
//! ```text
//! network      (payload bytes x (1 + envelope per byte) + samples x envelope bytes) x 8 / bandwidth
//! storage cpu  CPU seconds of the server's pool / its cores
//! trainer cpu  (CPU seconds to finish + samples x receive seconds + bytes x receive seconds per byte) / cores
//! accelerator  samples / rate
//! epoch        the largest of these: all resources work at once, and the slowest is waited for
//! ```
//!
//! The trainer's network carries what all servers send, a server's what it sends. A server's cores are one pool, for
//! pixels and for inference: what it announced as `--cpu-workers`.

use crate::error::{Lacking, PlanningError};
use crate::prediction::ResourceTime;
use crate::profile::{Profile, Row, Server};
use crate::resources::{Resource, Resources};

/// The sums over some samples on which every resource's time depends.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Load {
    /// Bytes of payloads.
    pub(crate) bytes: f64,
    /// CPU seconds of the server.
    pub(crate) storage: f64,
    /// CPU seconds of the trainer, without those for receiving.
    pub(crate) trainer: f64,
}

/// What a byte and two kinds of CPU second are worth at one server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rates {
    pub(crate) byte: f64,
    pub(crate) storage: f64,
    pub(crate) trainer: f64,
}

/// A resource's seconds as a linear function of every server's [`Load`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) resource: Resource,
    /// The server whose load counts; `None` where the loads of all servers count.
    pub(crate) server: Option<usize>,
    /// Seconds for each unit of load.
    pub(crate) rates: Rates,
    /// Seconds that the resource takes whatever is chosen.
    pub(crate) fixed: f64,
}

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
}

// === impl Load ===

impl Load {
    pub(crate) fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.storage += other.storage;
        self.trainer += other.trainer;
    }

    /// `self + factor x other`.
    pub(crate) fn plus(self, factor: f64, other: Self) -> Self {
        Self {
            bytes: self.bytes + factor * other.bytes,
            storage: self.storage + factor * other.storage,
            trainer: self.trainer + factor * other.trainer,
        }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        self.plus(-1.0, other)
    }
}

// === impl Rates ===

impl Rates {
    pub(crate) fn of(self, load: Load) -> f64 {
        self.byte * load.bytes + self.storage * load.storage + self.trainer * load.trainer
    }
}

// === impl Row ===

impl Row<'_> {
    pub(crate) fn load(&self, position: usize) -> Load {
        Load { bytes: self.bytes[position].into(), storage: self.storage[position], trainer: self.trainer[position] }
    }
}

// === impl CostModel ===

impl<'a> CostModel<'a> {
    pub(crate) fn new(profile: &'a Profile, resources: &Resources) -> Result<Self, PlanningError> {
        let servers = profile.servers();
        if resources.servers.len() != servers.len() {
            return Err(PlanningError::Servers { given: resources.servers.len(), expected: servers.len() });
        }
        let overheads = &profile.provenance().overheads;
        let network = |resource, server, samples: u64, bandwidth: f64| Line {
            resource,
            server,
            rates: Rates { byte: 8.0 * (1.0 + overheads.envelope_per_byte) / bandwidth, ..Rates::default() },
            fixed: 8.0 * overheads.envelope_bytes * samples as f64 / bandwidth,
        };
        let samples = profile.len() as u64;
        let lacks = |server: &Server| {
            let held = server.lacks.iter().filter(|_| server.samples > 0);
            held.filter_map(|&way| profile.position(way)).collect()
        };
        let mut lines = Vec::new();
        if let Some(bandwidth) = resources.bandwidth {
            lines.push(network(Resource::Network, None, samples, bandwidth.get()));
        }
        for (place, (server, has)) in servers.iter().zip(&resources.servers).enumerate() {
            if let Some(bandwidth) = has.bandwidth {
                lines.push(network(Resource::ServerNetwork(place), Some(place), server.samples, bandwidth.get()));
            }
        }
        for (place, has) in resources.servers.iter().enumerate() {
            // Without cores nothing may be done there, so that it takes no time.
            let per_second = if has.cores.is_zero() { 0.0 } else { 1.0 / has.cores.get() };
            lines.push(Line {
                resource: Resource::StorageCpu(place),
                server: Some(place),
                rates: Rates { storage: per_second, ..Rates::default() },
                fixed: 0.0,
            });
        }
        if let Some(cores) = resources.trainer_cores {
            let per_second = if cores.is_zero() { 0.0 } else { 1.0 / cores.get() };
            lines.push(Line {
                resource: Resource::TrainerCpu,
                server: None,
                rates: Rates {
                    byte: overheads.receive_seconds_per_byte * per_second,
                    storage: 0.0,
                    trainer: per_second,
                },
                fixed: overheads.receive_seconds * samples as f64 * per_second,
            });
        }
        if let Some(rate) = resources.accelerator_rate {
            lines.push(Line {
                resource: Resource::Accelerator,
                server: None,
                rates: Rates::default(),
                fixed: samples as f64 / rate.get(),
            });
        }
        Ok(Self {
            profile,
            lines,
            without_cores: resources.servers.iter().map(|has| has.cores.is_zero()).collect(),
            lacks: servers.iter().map(lacks).collect(),
            trainer_without_cores: resources.trainer_cores.is_some_and(|cores| cores.is_zero()),
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
            }
        }
        rates
    }

    /// The worth of the fixed seconds at these prices.
    pub(crate) fn fixed(&self, prices: &[f64]) -> f64 {
        self.lines.iter().zip(prices).map(|(line, price)| line.fixed * price).sum()
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
