//! A network that is split between servers and this machine, by its profile; split elsewhere where what is seen of the
//! servers, the network or this machine says so.
//!
//! All samples of a job come from one cut, as in NDPipe: cuts differ in what one image costs, and not from photo to
//! photo. Only where samples are made changes; which come, and their features, do not.

mod change;
mod pilot;

use headwater_client::{Dataset, RegisteredModel};
use headwater_plan::ServerResources;
use headwater_plan::partition::{CutCosts, Fleet, FleetServer, NetworkProfile};

pub use change::SplitChange;
pub use pilot::SplitPilot;

use crate::resources::resources_of;

/// The servers of a dataset as a fleet: each has the share of the images that its partition has, and as many cores as
/// it announces, and its devices that run this model. The bandwidth is the limit that the client was given.
pub fn fleet_of(dataset: &Dataset, model: &RegisteredModel) -> Fleet {
    let resources = resources_of(dataset);
    let of = |((partition, resources), devices): ((&headwater_client::Partition, _), &_)| FleetServer {
        resources: ServerResources { devices: *devices, ..resources },
        // A server without samples does nothing, whatever it has.
        share: (partition.samples as f64).max(1e-6),
        memory: None,
    };
    Fleet {
        servers: dataset.partitions().iter().zip(resources.servers).zip(&model.devices).map(of).collect(),
        bandwidth: dataset.options().bandwidth,
        tuner_cores: resources.trainer_cores,
    }
}

/// The part of a profile that can be served, and how many of its cuts cannot: cuts at tensors of other types than
/// float32 do not travel.
pub fn servable(profile: NetworkProfile) -> (NetworkProfile, usize) {
    let all = profile.cuts.len();
    let is_servable = |cut: &CutCosts| cut.way().is_some() || cut.network_cut().is_some();
    let cuts: Vec<_> = profile.cuts.into_iter().filter(is_servable).collect();
    let left_out = all - cuts.len();
    (NetworkProfile { cuts, ..profile }, left_out)
}
