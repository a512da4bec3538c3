//! Why there is no plan.

use headwater_types::Way;

use crate::resources::Resource;

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanningError {
    /// Not one entry of [`Resources::servers`](crate::Resources) for each server.
    #[error("resources are given for {given} servers, and the profile has {expected}")]
    Servers {
        /// So many were given.
        given: usize,
        /// So many the profile has.
        expected: usize,
    },
    /// A way that was asked for and was not profiled.
    #[error("the profile has no {way}: it has {}", list(known))]
    NoSuchWay {
        /// The way.
        way: Way,
        /// Those that there are.
        known: Vec<Way>,
    },
    /// Nothing is allowed.
    #[error("none of the profile's ways is allowed: it has {}", list(known))]
    NothingAllowed {
        /// Those that there are.
        known: Vec<Way>,
    },
    /// A sample that cannot travel.
    #[error("sample {index} cannot travel by {}: {}", list(tried), out_of(*lacking))]
    NoWay {
        /// The first such sample.
        index: usize,
        /// The ways that were tried.
        tried: Vec<Way>,
        /// What is missing for the first of them.
        lacking: Lacking,
    },
}

/// What stands in a sample's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lacking {
    /// There is none of this resource.
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
