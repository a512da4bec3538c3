//! A resource's seconds as a linear function of what samples add up to.

use headwater_types::{BitsPerSecond, DevicePool};

use super::load::Rates;
use crate::profile::Profile;
use crate::quantities::Cores;
use crate::resources::{Resource, Resources};

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

// === impl Line ===

impl Line {
    /// The lines of all resources that are limited, in order.
    pub(super) fn all(profile: &Profile, resources: &Resources) -> Vec<Self> {
        let samples = profile.len() as u64;
        let servers = profile.servers().iter().zip(&resources.servers).enumerate();
        let mut lines: Vec<_> = resources
            .bandwidth
            .map(|bandwidth| Self::network(profile, (Resource::Network, None), samples, bandwidth))
            .into_iter()
            .collect();
        lines.extend(servers.filter_map(|(place, (server, has))| {
            let of_server = (Resource::ServerNetwork(place), Some(place));
            has.bandwidth.map(|bandwidth| Self::network(profile, of_server, server.samples, bandwidth))
        }));
        lines.extend(resources.servers.iter().enumerate().map(|(place, has)| Self::storage(place, has.cores)));
        lines.extend(resources.servers.iter().enumerate().filter_map(|(place, has)| {
            let devices = has.devices?;
            Some(Self::device((Resource::StorageDevice(place), Some(place)), Rates::there(devices)))
        }));
        lines.extend(resources.trainer_cores.map(|cores| Self::trainer(profile, cores)));
        lines.extend(
            resources
                .trainer_devices
                .map(|devices| Self::device((Resource::TrainerDevice, None), Rates::here(devices))),
        );
        lines.extend(resources.accelerator_rate.map(|rate| Self {
            resource: Resource::Accelerator,
            server: None,
            rates: Rates::default(),
            fixed: samples as f64 / rate.get(),
        }));
        lines
    }

    fn network(
        profile: &Profile,
        (resource, server): (Resource, Option<usize>),
        samples: u64,
        bandwidth: BitsPerSecond,
    ) -> Self {
        let (overheads, bandwidth) = (&profile.provenance().overheads, bandwidth.get());
        Self {
            resource,
            server,
            rates: Rates { byte: 8.0 * (1.0 + overheads.envelope_per_byte) / bandwidth, ..Rates::default() },
            fixed: 8.0 * overheads.envelope_bytes * samples as f64 / bandwidth,
        }
    }

    fn storage(place: usize, cores: Cores) -> Self {
        Self {
            resource: Resource::StorageCpu(place),
            server: Some(place),
            rates: Rates { storage: per_second(cores), ..Rates::default() },
            fixed: 0.0,
        }
    }

    fn device((resource, server): (Resource, Option<usize>), rates: Rates) -> Self {
        Self { resource, server, rates, fixed: 0.0 }
    }

    fn trainer(profile: &Profile, cores: Cores) -> Self {
        let (overheads, per_second) = (&profile.provenance().overheads, per_second(cores));
        Self {
            resource: Resource::TrainerCpu,
            server: None,
            rates: Rates {
                byte: overheads.receive_seconds_per_byte * per_second,
                trainer: per_second,
                ..Rates::default()
            },
            fixed: overheads.receive_seconds * profile.len() as f64 * per_second,
        }
    }
}

// === impl Rates ===

impl Rates {
    /// Seconds of these devices for each sample that the server infers.
    fn there(devices: DevicePool) -> Self {
        Self { inferred_there: 1.0 / devices.samples_per_second(), ..Self::default() }
    }

    /// Seconds of these devices for each sample that the trainer infers.
    fn here(devices: DevicePool) -> Self {
        Self { inferred_here: 1.0 / devices.samples_per_second(), ..Self::default() }
    }
}

/// Seconds for each CPU second. 0 without cores: no work may be planned there.
fn per_second(cores: Cores) -> f64 {
    if cores.is_zero() { 0.0 } else { 1.0 / cores.get() }
}
