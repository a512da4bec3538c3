//! What an epoch waits for.

use headwater_plan::Resource;

use crate::chart::map;
use crate::number::{NONE, Unit, number};
use crate::sweep::Regions;

/// The resources that an epoch can wait for.
const KINDS: [&str; 7] = [
    "trainer's network",
    "a server's network",
    "servers' cores",
    "trainer's cores",
    "accelerator",
    "servers' devices",
    "trainer's devices",
];

/// The name of what an epoch waits for.
pub(crate) fn name(resource: Resource) -> &'static str {
    KINDS[kind(resource)]
}

/// The place of a resource in [`KINDS`].
fn kind(resource: Resource) -> usize {
    match resource {
        Resource::Network => 0,
        Resource::ServerNetwork(_) => 1,
        Resource::StorageCpu(_) => 2,
        Resource::TrainerCpu => 3,
        Resource::Accelerator => 4,
        Resource::StorageDevice(_) => 5,
        Resource::TrainerDevice => 6,
    }
}

/// A map of what an epoch waits for, cores over bandwidths in this unit.
pub(crate) fn regions(regions: &Regions, unit: Unit) -> String {
    let Regions { bandwidths, cores, cells } = regions;
    let none = KINDS.len();
    let cell = |cell: &Option<(Resource, f64)>| match cell {
        Some((resource, epoch)) => (kind(*resource), number(*epoch)),
        None => (none, NONE.to_owned()),
    };
    let cells: Vec<Vec<_>> = cells.iter().map(|row| row.iter().map(cell).collect()).collect();
    let mut parts: Vec<_> = KINDS.map(str::to_owned).to_vec();
    if cells.iter().flatten().any(|(part, _)| *part == none) {
        parts.push("not possible".to_owned());
    }
    let bandwidths: Vec<_> = bandwidths.iter().map(|bandwidth| unit.of(*bandwidth)).collect();
    let cores: Vec<_> = cores.iter().map(|cores| number(*cores)).collect();
    let across = format!("bandwidth of the trainer's network, {}", unit.name);
    map((&across, &bandwidths), ("cores of each server", &cores), &parts, &cells)
}
