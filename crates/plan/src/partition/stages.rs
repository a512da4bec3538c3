//! What the stages of an epoch take, for the first so many servers: worked out once for all cuts, since each stage is
//! a number of the servers times a number of the cut.

use headwater_types::BitsPerSecond;

use super::choice::StageSeconds;
use super::devices::{DeviceCost, OnDevices};
use super::fleet::{Fleet, FleetServer};
use super::profile::{CutCosts, FrontMemory};
use crate::resources::Resource;

/// What an image costs by a cut, coded or not, in batches of one size.
#[derive(Clone, Copy, Debug)]
pub(super) struct ImageCost {
    pub(super) bytes: f64,
    pub(super) server: f64,
    /// The same at a server whose devices run the front.
    pub(super) on_device: DeviceCost,
    pub(super) tuner: f64,
    pub(super) batch: u32,
    pub(super) memory: FrontMemory,
}

/// The first so many servers of a fleet, as factors of what an image costs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Servers {
    /// Of servers whose cores run the front.
    cores: Cpu,
    /// Of servers whose devices do.
    hosts: Cpu,
    /// Seconds of these devices for each image of the epoch, if they run the whole network: the largest share over
    /// images a second, and the server that has it. `None` without devices.
    devices: Option<(f64, usize)>,
    /// Seconds for which an image keeps the slowest of the devices busy.
    slowest_device: f64,
    /// Seconds of the servers' networks for each image and each byte, and the server of the slowest.
    network: Option<(f64, usize)>,
    /// Bits a second of the slowest network on the way.
    narrowest: f64,
}

/// Cores of some of these servers.
#[derive(Clone, Copy, Debug)]
struct Cpu {
    /// Seconds of the storage stage for each image of the epoch and each server second: the largest share over cores,
    /// and the server that has it. `None` where a server has no cores.
    most: Option<(f64, usize)>,
    /// Whether there is any such server.
    is_any: bool,
}

// === impl Cpu ===

impl Cpu {
    const NONE: Self = Self { most: Some((0.0, 0)), is_any: false };

    fn add(&mut self, server: &FleetServer, place: usize) {
        let cores = server.resources.cores.get();
        let per_core = (cores > 0.0).then(|| (server.share / cores, place));
        self.most = self.most.zip(per_core).map(|(most, this)| larger(most, this));
        self.is_any = true;
    }

    fn of_all(self, shares: f64) -> Self {
        Self { most: self.most.map(|(most, place)| (most / shares, place)), ..self }
    }

    /// Seconds of an epoch of so many images that take so many CPU seconds each, and the server that takes longest;
    /// `None` where cores are lacking.
    fn seconds(self, images: f64, of_image: f64) -> Option<(f64, usize)> {
        match self.most {
            Some((most, place)) => Some((images * most * of_image, place)),
            None => (of_image == 0.0).then_some((0.0, 0)),
        }
    }
}

// === impl ImageCost ===

impl ImageCost {
    /// Every way of a cut: each batch, as it is and coded. Where servers have devices, only what they can run.
    pub(super) fn all(cut: &CutCosts, on_devices: Option<OnDevices>) -> impl Iterator<Item = (bool, Self)> {
        let plain = cut.batches.iter().filter_map(move |of| {
            let (bytes, server, tuner) = (cut.bytes, of.server_seconds, cut.tuner_seconds);
            let on_device = match on_devices {
                Some(on_devices) => on_devices.cost(cut, of)?,
                None => DeviceCost { host: server, part: 0.0 },
            };
            Some(Self { bytes, server, on_device, tuner, batch: of.batch, memory: cut.memory })
        });
        let coded = move |bytes: f64, plain: Self| {
            let (server, tuner) = (plain.server + cut.code_seconds, plain.tuner + cut.uncode_seconds);
            let on_device = DeviceCost { host: plain.on_device.host + cut.code_seconds, ..plain.on_device };
            Self { bytes, server, on_device, tuner, ..plain }
        };
        plain.flat_map(move |plain| {
            let coded = cut.coded_bytes.map(|bytes| (true, coded(bytes, plain)));
            [(false, plain)].into_iter().chain(coded)
        })
    }

    /// Whether a server has the memory for a front of this batch on each of its cores. Without a front none is needed,
    /// nor where the front lies in the memory of devices.
    pub(super) fn fits(&self, server: &FleetServer) -> bool {
        let Some(memory) = server.memory.filter(|_| server.resources.devices.is_none()) else { return true };
        let core = self.memory.fixed as f64 + self.memory.image as f64 * f64::from(self.batch);
        core * server.resources.cores.get().ceil() <= memory.get() as f64
    }
}

// === impl Servers ===

impl Servers {
    /// The first server, the first two, and so on.
    pub(super) fn all(fleet: &Fleet) -> Vec<Self> {
        let tuners = fleet.bandwidth.map_or(f64::INFINITY, BitsPerSecond::get);
        let (mut shares, mut network, mut narrowest) = (0.0, None, tuners);
        let (mut cores, mut hosts, mut devices, mut slowest_device) = (Cpu::NONE, Cpu::NONE, None, 0.0_f64);
        let mut all = Vec::with_capacity(fleet.servers.len());
        for (place, server) in fleet.servers.iter().enumerate() {
            shares += server.share;
            match server.resources.devices {
                None => cores.add(server, place),
                Some(pool) => {
                    hosts.add(server, place);
                    let this = (server.share / pool.samples_per_second(), place);
                    devices = Some(devices.map_or(this, |most| larger(most, this)));
                    slowest_device = slowest_device.max(pool.seconds());
                }
            }
            if let Some(bandwidth) = server.resources.bandwidth {
                let this = (server.share / bandwidth.get(), place);
                network = Some(network.map_or(this, |most| larger(most, this)));
                narrowest = narrowest.min(bandwidth.get());
            }
            let of_all = |(most, place): (f64, usize)| (most / shares, place);
            all.push(Self {
                cores: cores.of_all(shares),
                hosts: hosts.of_all(shares),
                devices: devices.map(of_all),
                slowest_device,
                network: network.map(of_all),
                narrowest,
            });
        }
        all
    }

    /// What an epoch of so many images takes, and what it waits for; `None` where cores are lacking.
    pub(super) fn epoch(&self, fleet: &Fleet, images: f64, cost: &ImageCost) -> Option<(StageSeconds, Resource)> {
        let of_cores = self.cores.seconds(images, cost.server)?;
        let (storage, slowest) = larger(of_cores, self.hosts.seconds(images, cost.on_device.host)?);
        let device = self.devices.map(|(most, place)| (images * most * cost.on_device.part, place));
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
        let (of_devices, busiest) = device.unwrap_or((0.0, 0));
        let stages = [
            (storage, Resource::StorageCpu(slowest)),
            (network, wire),
            (tuner, Resource::TrainerCpu),
            (of_devices, Resource::StorageDevice(busiest)),
        ];
        let batch = f64::from(cost.batch).min(images);
        let of_tuner = if fleet.tuner_cores.is_some() { cost.tuner } else { 0.0 };
        let of_core = if self.cores.is_any { cost.server } else { 0.0 };
        let of_core = if self.hosts.is_any { of_core.max(cost.on_device.host) } else { of_core };
        let of_device = cost.on_device.part * self.slowest_device;
        let units = [of_core, 8.0 * cost.bytes / self.narrowest, of_tuner, of_device].map(|unit| unit * batch);
        let longest = (0..stages.len()).max_by(|&a, &b| stages[a].0.total_cmp(&stages[b].0).then(b.cmp(&a)))?;
        let fill = (0..units.len()).filter(|&stage| stage != longest).map(|stage| units[stage]).sum();
        let device = device.map(|(seconds, _)| seconds);
        Some((StageSeconds { storage, device, network, tuner, fill }, stages[longest].1))
    }
}

/// The larger of two; of equal ones the first.
fn larger(a: (f64, usize), b: (f64, usize)) -> (f64, usize) {
    if b.0 > a.0 { b } else { a }
}
