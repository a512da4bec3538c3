//! `HOST:PORT` as people write it: of a server, and of what a server listens on.
//!
//! The host may be left out, which is this machine, and so may the port. IPv6 needs brackets only where a port could be
//! part of it. Nothing is resolved here.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// A host and a port, each where it was given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    /// A name or an IPv4 address, or an IPv6 address in brackets; `None`: this machine.
    pub host: Option<String>,
    /// The port; 0 where one is to be chosen.
    pub port: Option<u16>,
}

/// Text that is no host and port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostPortError {
    /// The text is not a host and a port.
    #[error(
        "{0:?} is no address: write HOST:PORT, such as 10.0.0.5:7440, node1:7440 or [::1]:7440; HOST alone is for port \
         7440, and :PORT for this machine"
    )]
    Form(String),
    /// An IPv6 address whose end may be a port.
    #[error("{text:?} may be read in two ways: write [{address}]:{port}, or [{text}] for port 7440")]
    Ambiguous {
        /// The text as it was given.
        text: String,
        /// The address that the text may mean.
        address: String,
        /// The port that the text may mean.
        port: u16,
    },
    /// The text asks for encryption.
    #[error("{0:?} asks for TLS by its scheme: write HOST:PORT, and give --tls-ca (in Python tls=)")]
    Tls(String),
    /// Port 0, on which no server listens.
    #[error("{0:?} has port 0, which nobody listens on: write the port that the server has said it listens on")]
    Zero(String),
}

/// Longest name of a host (RFC 1035).
const MAX_HOST_BYTES: usize = 253;

// === impl HostPort ===

impl FromStr for HostPort {
    type Err = HostPortError;

    fn from_str(text: &str) -> Result<Self, HostPortError> {
        let trimmed = text.trim();
        if trimmed.starts_with("https://") {
            return Err(HostPortError::Tls(text.to_owned()));
        }
        let authority = trimmed.strip_prefix("http://").unwrap_or(trimmed);
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let form = || HostPortError::Form(text.to_owned());
        if let Some(rest) = authority.strip_prefix('[') {
            let (address, port) = rest.split_once(']').ok_or_else(form)?;
            let port = if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or_else(form)?) };
            return six(address, port).ok_or_else(form);
        }
        if authority.bytes().filter(|&byte| byte == b':').count() > 1 {
            return bare_six(authority).unwrap_or_else(|| Err(form()));
        }
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None if !authority.is_empty() && authority.bytes().all(|byte| byte.is_ascii_digit()) => {
                ("", Some(authority))
            }
            None => (authority, None),
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if host.len() > MAX_HOST_BYTES || !host.chars().all(plain) || (host.is_empty() && port.is_none()) {
            return Err(form());
        }
        let port = port.map(|port| decimal(port).ok_or_else(form)).transpose()?;
        Ok(Self { host: Some(host.to_owned()).filter(|host| !host.is_empty()), port })
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.host.as_deref().unwrap_or_default())?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Only digits: Rust's own parser takes a sign.
fn decimal(port: &str) -> Option<u16> {
    port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok())?
}

fn six(address: &str, port: Option<&str>) -> Option<HostPort> {
    let address: Ipv6Addr = address.parse().ok()?;
    let port = port.map(|port| decimal(port).ok_or(())).transpose().ok()?;
    Some(HostPort { host: Some(format!("[{address}]")), port })
}

/// An IPv6 address without brackets, and perhaps a port behind it. `None`: neither.
fn bare_six(text: &str) -> Option<Result<HostPort, HostPortError>> {
    let (address, port) = text.rsplit_once(':')?;
    match (six(text, None), six(address, Some(port))) {
        (Some(_), Some(HostPort { port: Some(port), .. })) => {
            Some(Err(HostPortError::Ambiguous { text: text.to_owned(), address: address.to_owned(), port }))
        }
        (whole, with_port) => whole.or(with_port).map(Ok),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (text, host, port) in [
            ("10.0.0.5:7440", Some("10.0.0.5"), Some(7440)),
            ("localhost:7440", Some("localhost"), Some(7440)),
            ("node-1.example", Some("node-1.example"), None),
            ("http://node-1.example:80/", Some("node-1.example"), Some(80)),
            (" node_1:1 ", Some("node_1"), Some(1)),
            (":7440", None, Some(7440)),
            ("7440", None, Some(7440)),
            ("0.0.0.0:0", Some("0.0.0.0"), Some(0)),
            ("[::1]:7440", Some("[::1]"), Some(7440)),
            ("[::1]", Some("[::1]"), None),
            ("::1", Some("[::1]"), None),
            ("::", Some("[::]"), None),
            ("fe80::1", Some("[fe80::1]"), None),
            ("2001:db8::a:b", Some("[2001:db8::a:b]"), None),
            ("::ffff:10.0.0.1", Some("[::ffff:10.0.0.1]"), None),
            ("2001:db8:0:0:1:2:3:4", Some("[2001:db8::1:2:3:4]"), None),
            ("2001:db8:0:0:1:2:3:4:7440", Some("[2001:db8::1:2:3:4]"), Some(7440)),
        ] {
            let read: HostPort = text.parse().unwrap();
            assert_eq!((read.host.as_deref(), read.port), (host, port), "{text:?}");
            assert_eq!(read.to_string().parse(), Ok(read), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_right_form() {
        for bad in [
            "",
            " ",
            ":",
            "host:",
            "host:70000",
            "host:+1",
            "[::g]:80",
            "[::1",
            "[::1]80",
            "a b:80",
            "u@h:80",
            "h:80/x",
            "fe80::1%eth0",
            "host:80:90",
            "99999",
        ] {
            let refused = bad.parse::<HostPort>().unwrap_err();
            assert!(
                matches!(refused, HostPortError::Form(_)) && refused.to_string().contains("7440"),
                "{bad:?}: {refused}"
            );
        }
        assert!(matches!("https://h:80".parse::<HostPort>(), Err(HostPortError::Tls(_))));
    }

    #[test]
    fn six_without_brackets_is_refused_where_its_end_may_be_a_port() {
        for text in ["::1:7440", "2001:db8::1:2"] {
            let refused = text.parse::<HostPort>().unwrap_err().to_string();
            let (address, port) = text.rsplit_once(':').unwrap();
            assert!(refused.contains(&format!("[{address}]:{port}")), "{refused}");
        }
    }
}
