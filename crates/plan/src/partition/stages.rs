//! What the stages of an epoch take, for the first so many servers: worked out once for all cuts, since each stage is
//! a number of the servers times a number of the cut.

use headwater_types::BitsPerSecond;

use super::choice::StageSeconds;
use super::fleet::{Fleet, FleetServer};
use super::profile::{CutCosts, FrontMemory};
use crate::resources::Resource;

/// What an image costs by a cut, coded or not, in batches of one size.
#[derive(Clone, Copy, Debug)]
pub(super) struct ImageCost {
    pub(super) bytes: f64,
    pub(super) server: f64,
    pub(super) tuner: f64,
    pub(super) batch: u32,
    pub(super) memory: FrontMemory,
}

/// The first so many servers of a fleet, as factors of what an image costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Servers {
    /// Seconds of the storage stage for each image of the epoch and each server second: the largest share over cores,
    /// and the server that has it. `None` where a server has no cores.
    storage: Option<(f64, usize)>,
    /// Seconds of the servers' networks for each image and each byte, and the server of the slowest.
    network: Option<(f64, usize)>,
    /// Bits a second of the slowest network on the way.
    narrowest: f64,
}

// === impl ImageCost ===

impl ImageCost {
    /// Every way of a cut: each batch, as it is and coded.
    pub(super) fn all(cut: &CutCosts) -> impl Iterator<Item = (bool, Self)> {
        let plain = cut.batches.iter().map(|of| {
            let (bytes, server, tuner) = (cut.bytes, of.server_seconds, cut.tuner_seconds);
            Self { bytes, server, tuner, batch: of.batch, memory: cut.memory }
        });
        let coded = move |bytes: f64, plain: Self| {
            let (server, tuner) = (plain.server + cut.code_seconds, plain.tuner + cut.uncode_seconds);
            Self { bytes, server, tuner, ..plain }
        };
        plain.flat_map(move |plain| {
            let coded = cut.coded_bytes.map(|bytes| (true, coded(bytes, plain)));
            [(false, plain)].into_iter().chain(coded)
        })
    }

    /// Whether a server has the memory for a front of this batch on each of its cores. Without a front none is needed.
    pub(super) fn fits(&self, server: &FleetServer) -> bool {
        let Some(memory) = server.memory else { return true };
        let core = self.memory.fixed as f64 + self.memory.image as f64 * f64::from(self.batch);
        core * server.resources.cores.get().ceil() <= memory.get() as f64
    }
}

// === impl Servers ===

impl Servers {
    /// The first server, the first two, and so on.
    pub(super) fn all(fleet: &Fleet) -> Vec<Self> {
        let tuners = fleet.bandwidth.map_or(f64::INFINITY, BitsPerSecond::get);
        let (mut shares, mut storage, mut network, mut narrowest) = (0.0, Some((0.0, 0)), None, tuners);
        let mut all = Vec::with_capacity(fleet.servers.len());
        for (place, server) in fleet.servers.iter().enumerate() {
            shares += server.share;
            let cores = server.resources.cores.get();
            let per_core = (cores > 0.0).then(|| (server.share / cores, place));
            storage = storage.zip(per_core).map(|(most, this)| larger(most, this));
            if let Some(bandwidth) = server.resources.bandwidth {
                let this = (server.share / bandwidth.get(), place);
                network = Some(network.map_or(this, |most| larger(most, this)));
                narrowest = narrowest.min(bandwidth.get());
            }
            let of_all = |(most, place): (f64, usize)| (most / shares, place);
            all.push(Self { storage: storage.map(of_all), network: network.map(of_all), narrowest });
        }
        all
    }

    /// What an epoch of so many images takes, and what it waits for; `None` where cores are lacking.
    pub(super) fn epoch(&self, fleet: &Fleet, images: f64, cost: &ImageCost) -> Option<(StageSeconds, Resource)> {
        let (storage, slowest) = match self.storage {
            Some((most, place)) => (images * most * cost.server, place),
            None if cost.server == 0.0 => (0.0, 0),
            None => return None,
        };
        let of_all = fleet.bandwidth.map_or(0.0, |bandwidth| 8.0 * cost.bytes * images / bandwidth.get());
        let of_servers = self.network.map(|(most, place)| (8.0 * cost.bytes * images * most, place));
        let (network, wire) = match of_servers.filter(|(seconds, _)| *seconds > of_all) {
            Some((seconds, place)) => (seconds, Resource::ServerNetwork(place)),
            None => (of_all, Resource::Network),
        };
        let tuner = match fleet.tuner_cores {
            Some(cores) if cores.is_zero() && cost.tuner > 0.0 => return None,
            Some(cores) if !cores.is_zero() => images * cost.tuner / cores.get(),
            _ => 0.0,
        };
        let stages = [(storage, Resource::StorageCpu(slowest)), (network, wire), (tuner, Resource::TrainerCpu)];
        let batch = f64::from(cost.batch).min(images);
        let of_tuner = if fleet.tuner_cores.is_some() { cost.tuner } else { 0.0 };
        let units = [cost.server, 8.0 * cost.bytes / self.narrowest, of_tuner].map(|unit| unit * batch);
        let longest = (0..stages.len()).max_by(|&a, &b| stages[a].0.total_cmp(&stages[b].0).then(b.cmp(&a)))?;
        let fill = (0..units.len()).filter(|&stage| stage != longest).map(|stage| units[stage]).sum();
        Some((StageSeconds { storage, network, tuner, fill }, stages[longest].1))
    }
}

/// The larger of two; of equal ones the first.
fn larger(a: (f64, usize), b: (f64, usize)) -> (f64, usize) {
    if b.0 > a.0 { b } else { a }
}
