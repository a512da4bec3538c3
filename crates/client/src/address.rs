//! Where a storage server listens.

use std::fmt;
use std::str::FromStr;

use headwater_types::caps::DEFAULT_PORT;
use headwater_types::host_port::{HostPort, HostPortError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A host (name, IPv4, or IPv6 in brackets) and a port. A text without a port has the usual one, and a text without a
/// host is this machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerAddress {
    host: String,
    port: u16,
}

// === impl ServerAddress ===

impl ServerAddress {
    /// The host: what the server's certificate is for.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The address as an HTTP URL.
    pub(crate) fn url(&self) -> String {
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
        Ok(Self { host: host.unwrap_or_else(|| "localhost".to_owned()), port: port.unwrap_or(DEFAULT_PORT) })
    }
}

impl From<std::net::SocketAddr> for ServerAddress {
    fn from(address: std::net::SocketAddr) -> Self {
        let host = match address.ip() {
            std::net::IpAddr::V4(ip) => ip.to_string(),
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        };
        Self { host, port: address.port() }
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
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
