//! Where a storage server listens.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use headwater_types::caps::DEFAULT_PORT;
use headwater_types::host_port::{HostPort, HostPortError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A host (name, IPv4, or IPv6 in brackets) and a port. A text without a port has the usual one, and a text without a
/// host is this machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerAddress(Arc<Place>);

/// Behind a pointer: errors name two servers, and are returned everywhere.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Place {
    host: String,
    port: u16,
    /// The name by which the host was looked up, where it was.
    looked_up: Option<String>,
}

// === impl ServerAddress ===

impl ServerAddress {
    /// One of the addresses of this name.
    pub(crate) fn of_name(name: &str, address: std::net::SocketAddr) -> Self {
        let (host, port) = host_and_port(address);
        Self(Arc::new(Place { host, port, looked_up: Some(name.to_owned()) }))
    }

    /// What the server's certificate is for: the host, or the name by which it was looked up.
    pub fn certified(&self) -> &str {
        self.0.looked_up.as_deref().unwrap_or(&self.0.host)
    }

    /// The address as an HTTP URL.
    pub fn url(&self) -> String {
        format!("http://{self}")
    }
}

impl FromStr for ServerAddress {
    type Err = HostPortError;

    fn from_str(text: &str) -> Result<Self, HostPortError> {
        let HostPort { host, port } = text.parse()?;
        if port == Some(0) {
            return Err(HostPortError::Zero(text.to_owned()));
        }
        let (host, port) = (host.unwrap_or_else(|| "localhost".to_owned()), port.unwrap_or(DEFAULT_PORT));
        Ok(Self(Arc::new(Place { host, port, looked_up: None })))
    }
}

impl From<std::net::SocketAddr> for ServerAddress {
    fn from(address: std::net::SocketAddr) -> Self {
        let (host, port) = host_and_port(address);
        Self(Arc::new(Place { host, port, looked_up: None }))
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.host, self.0.port)
    }
}

impl Serialize for ServerAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ServerAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

fn host_and_port(address: std::net::SocketAddr) -> (String, u16) {
    let host = match address.ip() {
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
    };
    (host, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_this_machine_and_the_usual_port() {
        for (text, shown) in [
            ("10.0.0.5", "10.0.0.5:7440"),
            (":9000", "localhost:9000"),
            ("9000", "localhost:9000"),
            ("::1", "[::1]:7440"),
            ("node1:1", "node1:1"),
        ] {
            assert_eq!(text.parse::<ServerAddress>().unwrap().to_string(), shown);
        }
        let socket: std::net::SocketAddr = "[::1]:80".parse().unwrap();
        assert_eq!(ServerAddress::from(socket).to_string(), "[::1]:80");
        assert!(matches!("node1:0".parse::<ServerAddress>(), Err(HostPortError::Zero(_))));
    }
}
