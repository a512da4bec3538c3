//! The servers and the tuner between which a network is cut.

use headwater_types::{BitsPerSecond, ByteCount};

use super::error::PartitionError;
use super::limits::MAX_SERVERS;
use crate::quantities::Cores;
use crate::resources::ServerResources;

/// Servers in the order in which they are added, and the tuner.
#[derive(Clone, Debug, PartialEq)]
pub struct Fleet {
    /// The servers: the first one is there in any case.
    pub servers: Vec<FleetServer>,
    /// The tuner's network, through which all servers send; `None` is without limit.
    pub bandwidth: Option<BitsPerSecond>,
    /// The tuner's cores; `None` is without limit.
    pub tuner_cores: Option<Cores>,
}

/// A server of a fleet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FleetServer {
    /// Its cores, its network, and its devices, where these run the network and not its cores. Their rate is of the
    /// whole network.
    pub resources: ServerResources,
    /// How many of the images it has, against the others' numbers: with 2 it has twice as many as with 1.
    pub share: f64,
    /// Memory for the fronts that its cores run; `None` is without limit. Devices have their own.
    pub memory: Option<ByteCount>,
}

// === impl Fleet ===

impl Fleet {
    /// Whether any of the servers has devices that run the network.
    pub(super) fn has_devices(&self) -> bool {
        self.servers.iter().any(|server| server.resources.devices.is_some())
    }

    /// Whether there is a server, not too many, and each share is above 0.
    pub(super) fn check(&self) -> Result<(), PartitionError> {
        if !(1..=MAX_SERVERS).contains(&self.servers.len()) {
            return Err(PartitionError::Servers { given: self.servers.len() });
        }
        let bad = self.servers.iter().position(|server| !(server.share > 0.0 && server.share <= 1e9));
        match bad {
            Some(place) => Err(PartitionError::Share { place, share: self.servers[place].share }),
            None => Ok(()),
        }
    }
}
