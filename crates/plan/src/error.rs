//! Why there is no plan.

use crate::resources::Resource;
use crate::way::Way;

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
        /// The resource of which there is nothing.
        lacking: Resource,
    },
}

fn list(ways: &[Way]) -> String {
    ways.iter().map(Way::to_string).collect::<Vec<_>>().join(", ")
}

fn out_of(lacking: Resource) -> String {
    match lacking {
        Resource::StorageCpu(server) => {
            format!("server {server} has no cores for planning; allow encoded, or give it cores (--storage-cores)")
        }
        _ => "the trainer has no cores for planning; give it cores (--trainer-cores)".to_owned(),
    }
}
