//! SOPHON's greedy (HotStorage'24), to the operation: the same decisions as the authors' code for the same files.
//!
//! All numbers are f64. Sizes are turned to megabits (size / 1,000,000 x 8) before they are subtracted. Each sample has
//! one candidate, its smallest stage (a later stage must be strictly smaller); saving = raw - smallest, cost = the
//! storage CPU seconds up to there, efficiency = saving / cost, or 0 where nothing is saved. In order of efficiency,
//! the largest first and ties in the order of the file, samples are taken until the network would be faster than the
//! servers' cores, or nothing is saved; the sample that ends it is not taken. Two things differ, where the authors'
//! code divides by zero: servers without cores leave their samples as they are, and stages that take no time count as
//! infinitely efficient.
//!
//! The greedy knows one network and one pool of cores. With several servers these are the trainer's bandwidth (else the
//! sum of the servers') and the sum of all cores.

use headwater_types::BitsPerSecond;

use crate::cost::CostModel;
use crate::profile::ProfileRow;
use crate::resources::Resources;
use crate::sophon;

/// A sample and how worthwhile its smallest stage is: 16 bytes, since there may be millions.
struct Candidate {
    efficiency: f64,
    index: u32,
}

/// What a sample's smallest stage saves and costs.
struct Smallest {
    position: usize,
    /// Megabits that the stage saves.
    saving: f64,
    /// CPU seconds of the storage side.
    cost: f64,
}

fn megabits(bytes: u32) -> f64 {
    f64::from(bytes) / 1_000_000.0 * 8.0
}

/// The choice of each sample. Position 0 is `encoded`; `allowed` says which of the profile's ways may be used beside
/// it.
pub(super) fn plan(model: &CostModel<'_>, resources: &Resources, allowed: &[usize]) -> Vec<u8> {
    let profile = model.profile;
    let ways = profile.ways();
    let stages: Vec<usize> =
        allowed.iter().copied().filter(|&position| position > 0 && sophon::number(ways[position]).is_some()).collect();
    let (mut total, mut candidates) = (0.0, Vec::new());
    for (server, &idle) in model.without_cores.iter().enumerate() {
        for index in profile.samples_of(server) {
            let row = profile.row(index);
            total += megabits(row.bytes[0]);
            if !idle {
                let Smallest { saving, cost, .. } = smallest(row, &stages);
                let efficiency = if saving > 0.0 { saving / cost } else { 0.0 };
                // A profile's samples are far fewer than 32 bits can count.
                candidates.push(Candidate { efficiency, index: index as u32 });
            }
        }
    }
    // Ties in the order of the file.
    candidates.sort_unstable_by(|a, b| b.efficiency.total_cmp(&a.efficiency).then(a.index.cmp(&b.index)));

    let (bandwidth, cores) = (bandwidth(resources), resources.servers.iter().map(|has| has.cores.get()).sum::<f64>());
    let (mut choices, mut cpu) = (vec![0; profile.len()], 0.0);
    for Candidate { index, .. } in candidates {
        let index = index as usize;
        let Smallest { position, saving, cost } = smallest(profile.row(index), &stages);
        total -= saving;
        cpu += cost;
        if total / bandwidth < cpu / cores || saving == 0.0 {
            break;
        }
        choices[index] = position as u8;
    }
    choices
}

fn smallest(row: ProfileRow<'_>, stages: &[usize]) -> Smallest {
    let mut position = 0;
    for &stage in stages {
        if row.bytes[stage] < row.bytes[position] {
            position = stage;
        }
    }
    let saving = megabits(row.bytes[0]) - megabits(row.bytes[position]);
    Smallest { position, saving, cost: row.storage[position] }
}

/// The network's megabits a second; infinite where nothing limits it.
fn bandwidth(resources: &Resources) -> f64 {
    let bits = |bandwidth: Option<BitsPerSecond>| bandwidth.map_or(f64::INFINITY, BitsPerSecond::get);
    let of_servers = resources.servers.iter().map(|has| bits(has.bandwidth)).sum();
    resources.bandwidth.map_or(of_servers, BitsPerSecond::get) / 1e6
}
