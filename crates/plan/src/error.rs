//! Why there is no plan.

use headwater_types::Way;

use crate::resources::Resource;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanningError {
    /// [`Resources::servers`](crate::Resources) has not one entry for each server.
    #[error("resources are given for {given} servers, and the profile has {expected}")]
    Servers {
        /// The number of entries that were given.
        given: usize,
        /// The number of servers in the profile.
        expected: usize,
    },
    /// A way was asked for and was not profiled.
    #[error("the profile has no {way}: it has {}", list(known))]
    NoSuchWay {
        /// The way.
        way: Way,
        /// The ways that the profile has.
        known: Vec<Way>,
    },
    /// No way of the profile is allowed.
    #[error("none of the profile's ways is allowed: it has {}", list(known))]
    NothingAllowed {
        /// The ways that the profile has.
        known: Vec<Way>,
    },
    /// A sample can travel by none of the allowed ways.
    #[error("sample {index} cannot travel by {}: {}", list(tried), out_of(*lacking))]
    NoWay {
        /// The first such sample.
        index: usize,
        /// The ways that were tried.
        tried: Vec<Way>,
        /// What the first of these ways lacks.
        lacking: Lacking,
    },
}

/// What stands in a sample's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// The plan's resources have none of this one.
    Resource(Resource),
    /// The server at this place cannot serve the way: it lacks the model.
    Service(usize),
}

fn list(ways: &[Way]) -> String {
    ways.iter().map(Way::to_string).collect::<Vec<_>>().join(", ")
}

fn out_of(lacking: Lacking) -> String {
    match lacking {
        Lacking::Service(server) => {
            format!("server {server} does not have the model; allow encoded, or register it there and profile anew")
        }
        Lacking::Resource(Resource::StorageCpu(server)) => {
            format!("server {server} has no cores for planning; allow encoded, or give it cores (--storage-cores)")
        }
        Lacking::Resource(_) => "the trainer has no cores for planning; give it cores (--trainer-cores)".to_owned(),
    }
}
