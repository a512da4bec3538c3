//! Where in etcd servers are registered.

use std::fmt;
use std::str::FromStr;

use headwater_types::host_port::HostPort;

use crate::error::DiscoveryError;

/// An etcd server and the prefix of the keys under which storage servers are registered: `etcd://HOST:PORT/PREFIX`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EtcdPrefix {
    host: HostPort,
    /// Without slashes at its ends.
    prefix: String,
}

/// The scheme of such a URL.
pub(crate) const SCHEME: &str = "etcd://";
/// The port of etcd's clients.
const ETCD_PORT: u16 = 2379;
const FORM: &str = "write etcd://HOST:PORT/PREFIX, such as etcd://etcd1:2379/headwater";

// === impl EtcdPrefix ===

impl EtcdPrefix {
    /// Where etcd is asked.
    pub(crate) fn url(&self) -> String {
        let host = self.host.host.as_deref().unwrap_or("localhost");
        format!("http://{host}:{}", self.host.port.unwrap_or(ETCD_PORT))
    }

    /// The first key that may be there, and the first behind all of them.
    pub(crate) fn range(&self) -> (Vec<u8>, Vec<u8>) {
        (self.key(""), format!("/{}0", self.prefix).into_bytes())
    }

    /// The key of what has this name.
    pub(crate) fn key(&self, name: &str) -> Vec<u8> {
        format!("/{}/{name}", self.prefix).into_bytes()
    }
}

impl FromStr for EtcdPrefix {
    type Err = DiscoveryError;

    fn from_str(text: &str) -> Result<Self, DiscoveryError> {
        let form = |problem| DiscoveryError::Form { text: text.to_owned(), problem };
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| form(FORM))?;
        let (host, prefix) = rest.split_once('/').ok_or_else(|| form(FORM))?;
        let prefix = prefix.trim_matches('/');
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        if prefix.is_empty() || !prefix.chars().all(plain) {
            return Err(form("the prefix is letters, digits, -, _, . and /, such as etcd://etcd1:2379/headwater"));
        }
        let host: HostPort = host.parse().map_err(|_| form(FORM))?;
        if host.port == Some(0) {
            return Err(form("port 0 is no port of etcd: its usual one is 2379"));
        }
        Ok(Self { host, prefix: prefix.to_owned() })
    }
}

impl fmt::Display for EtcdPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.host.host.as_deref().unwrap_or("localhost");
        write!(f, "{SCHEME}{host}:{}/{}", self.host.port.unwrap_or(ETCD_PORT), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_a_folder_of_keys() {
        let prefix: EtcdPrefix = "etcd://etcd1/clusters/a/".parse().unwrap();
        assert_eq!(prefix.to_string(), "etcd://etcd1:2379/clusters/a");
        assert_eq!(prefix.url(), "http://etcd1:2379");
        let (first, end) = prefix.range();
        let key = prefix.key("node1:7440");
        assert!(first < key && key < end);
        for other in ["/clusters/ab/node1", "/clusters/a", "/clusters/b/node1"] {
            assert!(!(first.as_slice()..end.as_slice()).contains(&other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn what_is_no_prefix_is_refused_with_its_form() {
        for text in ["etcd://etcd1:2379", "etcd://etcd1:2379/", "etcd://etcd1:0/a", "etcd://e/a b", "etcd:///", "e/a"] {
            assert!(text.parse::<EtcdPrefix>().is_err(), "{text}");
        }
    }
}
