//! Why servers cannot be found.

use std::path::PathBuf;

use headwater_types::host_port::HostPortError;

use crate::address::ServerAddress;

/// Why servers cannot be found. What a source says is told whole: a person has to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// No server was named.
    #[error("no server is named: give --servers HOST:PORT[,HOST:PORT...], @FILE, dns:///NAME:PORT or etcd://...")]
    None,
    /// A text that is no address.
    #[error(transparent)]
    Address(#[from] HostPortError),
    /// A server that was named twice.
    #[error("server {0} is named twice")]
    Twice(ServerAddress),
    /// A text that is no source of addresses.
    #[error("{text:?} names no servers: {problem}")]
    Form {
        /// The text as it was given.
        text: String,
        /// What is wrong, and how it is written.
        problem: &'static str,
    },
    /// A file of addresses that cannot be read.
    #[error("@{}: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why, with the line where it is one line's fault.
        problem: String,
    },
    /// A name that cannot be looked up.
    #[error("dns:///{name}: {problem}: see that the name is right, and that this machine's resolver knows it")]
    Name {
        /// The name and the port.
        name: String,
        /// Why.
        problem: String,
    },
    /// An etcd that cannot be asked, or that has what cannot be read.
    #[error("{etcd}: {problem}")]
    Etcd {
        /// Where etcd is, and the prefix.
        etcd: String,
        /// Why.
        problem: String,
    },
    /// Sources that can be read, and have no server.
    #[error("{0} names no server now: see that servers are there, and have registered")]
    Empty(String),
}
