//! One word of `--servers`: an address, or where addresses are found.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use headwater_types::caps::DEFAULT_PORT;
use headwater_types::host_port::HostPort;

use crate::address::ServerAddress;
use crate::error::DiscoveryError;
use crate::key::{self, EtcdPrefix};

/// One word of `--servers`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerSource {
    /// `HOST:PORT`: one server.
    Address(ServerAddress),
    /// `@FILE`: a file with an address on each line, which is read anew.
    File(PathBuf),
    /// `dns:///NAME:PORT`: all addresses of a name, which is looked up anew.
    Name {
        /// The name.
        name: String,
        /// The port of all its servers.
        port: u16,
    },
    /// `etcd://HOST:PORT/PREFIX`: servers that register themselves.
    Etcd(EtcdPrefix),
}

/// The scheme of a name that is looked up.
const DNS: &str = "dns:///";

// === impl ServerSource ===

impl ServerSource {
    /// The address, where it is one.
    pub(crate) fn address(&self) -> Option<&ServerAddress> {
        match self {
            Self::Address(address) => Some(address),
            Self::File(_) | Self::Name { .. } | Self::Etcd(_) => None,
        }
    }
}

impl FromStr for ServerSource {
    type Err = DiscoveryError;

    fn from_str(text: &str) -> Result<Self, DiscoveryError> {
        let form = |problem| DiscoveryError::Form { text: text.to_owned(), problem };
        let trimmed = text.trim();
        if let Some(path) = trimmed.strip_prefix('@') {
            return match path.is_empty() {
                true => Err(form("write @FILE, a file with the address of one server on each line")),
                false => Ok(Self::File(path.into())),
            };
        }
        if let Some(name) = trimmed.strip_prefix(DNS) {
            return match name.parse() {
                Ok(HostPort { host: Some(name), port }) if port != Some(0) => {
                    Ok(Self::Name { name, port: port.unwrap_or(DEFAULT_PORT) })
                }
                _ => Err(form("write dns:///NAME:PORT, such as dns:///headwater-headless:7440")),
            };
        }
        if trimmed.starts_with(key::SCHEME) {
            return trimmed.parse().map(Self::Etcd);
        }
        match trimmed.split_once("://") {
            Some((scheme, _)) if !matches!(scheme, "http" | "https") => {
                Err(form("known are HOST:PORT, @FILE, dns:///NAME:PORT and etcd://HOST:PORT/PREFIX"))
            }
            _ => Ok(Self::Address(trimmed.parse()?)),
        }
    }
}

impl fmt::Display for ServerSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::File(path) => write!(f, "@{}", path.display()),
            Self::Name { name, port } => write!(f, "{DNS}{name}:{port}"),
            Self::Etcd(prefix) => write!(f, "{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_told_by_how_it_begins() {
        for (text, shown) in [
            ("node1", "node1:7440"),
            ("@servers.txt", "@servers.txt"),
            ("dns:///photos", "dns:///photos:7440"),
            ("dns:///photos.ns.svc:9000", "dns:///photos.ns.svc:9000"),
            ("etcd://etcd1/hw", "etcd://etcd1:2379/hw"),
        ] {
            assert_eq!(text.parse::<ServerSource>().unwrap().to_string(), shown);
        }
        for text in ["@", "dns:///", "dns:///:7440", "dns:///a:0", "dns://a:7440", "consul://a/b", "https://a:1"] {
            assert!(text.parse::<ServerSource>().is_err(), "{text}");
        }
    }
}
