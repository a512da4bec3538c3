//! Where a storage server listens.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A host (name, IPv4, or IPv6 in brackets) and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerAddress {
    host: String,
    port: u16,
}

/// Text that is not a server's address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a host and a port.
    #[error("{0:?} is not a server's address: write HOST:PORT, such as 10.0.0.5:7000 or [::1]:7000")]
    Form(String),
    /// Encryption was asked for.
    #[error("{0:?} asks for TLS, which servers do not speak: write HOST:PORT, and encrypt the network below it")]
    Tls(String),
}

// === impl ServerAddress ===

impl ServerAddress {
    /// The address as an HTTP URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{self}")
    }
}

impl FromStr for ServerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let form = || AddressError::Form(text.to_owned());
        let trimmed = text.trim();
        if trimmed.starts_with("https://") {
            return Err(AddressError::Tls(text.to_owned()));
        }
        let authority = trimmed.strip_prefix("http://").unwrap_or(trimmed);
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let (host, port) = authority.rsplit_once(':').ok_or_else(form)?;
        let port = port.parse().ok().filter(|&port: &u16| port > 0).ok_or_else(form)?;
        let good = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
                !host.is_empty() && host.len() <= 253 && host.chars().all(plain)
            }
        };
        good.then(|| Self { host: host.to_owned(), port }).ok_or_else(form)
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
    fn addresses_are_read_as_people_write_them() {
        for (text, shown) in [
            ("10.0.0.5:7000", "10.0.0.5:7000"),
            ("[::1]:7000", "[::1]:7000"),
            ("http://node-1.example:80/", "node-1.example:80"),
            (" node_1:1 ", "node_1:1"),
        ] {
            assert_eq!(text.parse::<ServerAddress>().unwrap().to_string(), shown);
        }
        let socket: std::net::SocketAddr = "[::1]:80".parse().unwrap();
        assert_eq!(ServerAddress::from(socket).to_string(), "[::1]:80");
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_right_form() {
        for bad in
            ["", "host", "host:", ":80", "host:0", "host:70000", "::1:80", "[::g]:80", "a b:80", "u@h:80", "h:80/x"]
        {
            assert!(matches!(bad.parse::<ServerAddress>(), Err(AddressError::Form(_))), "{bad:?}");
        }
        assert!(matches!("https://h:80".parse::<ServerAddress>(), Err(AddressError::Tls(_))));
    }
}
