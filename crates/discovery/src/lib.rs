//! Which storage servers there are, and where: addresses that were named, a file of them, all addresses of a DNS name,
//! or those that have registered in etcd; and how a server registers there.
//!
//! ```text
//!  host:port ─┐
//!  @FILE ─────┤
//!  dns:///… ──┼─▶ Servers ─▶ addresses, looked up anew whenever they are asked for
//!  etcd://… ──┘                ▲ Registration, of a server that serves
//! ```
//!
//! Invariants: what was found once stays found while a file, DNS or etcd cannot be asked; an address is found once,
//! however often it is there. Nothing here connects to a storage server.

mod address;

mod error;

mod proto;

mod etcd;
mod key;

mod source;

mod file;
mod names;

mod servers;

mod registration;

pub use address::ServerAddress;
pub use error::DiscoveryError;
pub use file::parse as parse_servers;
pub use headwater_types::host_port::HostPortError;
pub use key::EtcdPrefix;
pub use registration::Registration;
pub use servers::{Follower, Servers, check_once};
pub use source::ServerSource;
