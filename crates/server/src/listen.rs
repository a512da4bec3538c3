//! What a server listens on: an address as it is written, its sockets, and the connections to any of them.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use std::task::Poll;

use anyhow::{Context as _, Result, bail};
use headwater_types::caps::DEFAULT_PORT;
use headwater_types::host_port::{HostPort, HostPortError};
use serde::{Serialize, Serializer};
use tokio::net::{TcpListener, TcpStream, lookup_host};

/// A host, whose name is resolved when the server starts, and a port. Without a host it is this machine's own address,
/// which no other machine reaches: a server without authentication is opened to a network only by saying so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListenAddress {
    host: String,
    port: u16,
}

/// Sockets that are listened on: one for each address of the host.
pub(crate) struct Listeners(Vec<TcpListener>);

/// This machine's own address.
const THIS_MACHINE: &str = "127.0.0.1";

// === impl ListenAddress ===

impl ListenAddress {
    /// The host, as it is written.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Whether it is every address of the machine, and so none that another machine could use.
    pub(crate) fn is_wildcard(&self) -> bool {
        self.host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_unspecified())
    }

    /// Whether only this machine can connect to it, as far as is known without looking a name up: every name but
    /// `localhost` may be known to others.
    pub(crate) fn is_this_machine(&self) -> bool {
        match self.host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => address.to_canonical().is_loopback(),
            Err(_) => self.host.eq_ignore_ascii_case("localhost"),
        }
    }

    /// The port; 0 where the system is to choose one.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl ToSocketAddrs for ListenAddress {
    type Iter = std::vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        self.to_string().to_socket_addrs()
    }
}

impl FromStr for ListenAddress {
    type Err = HostPortError;

    fn from_str(text: &str) -> Result<Self, HostPortError> {
        let HostPort { host, port } = text.parse()?;
        Ok(Self { host: host.unwrap_or_else(|| THIS_MACHINE.to_owned()), port: port.unwrap_or(DEFAULT_PORT) })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Serialize for ListenAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

// === impl Listeners ===

impl Listeners {
    /// Listens on every address that the host has; a family of addresses that this machine does not have is passed
    /// over.
    ///
    /// # Errors
    /// A name that is not known, an address that is not this machine's, and a port that is taken; `setting` is named.
    pub(crate) async fn bind(setting: &str, wanted: &ListenAddress) -> Result<Self> {
        let context = || format!("{setting} {wanted}");
        let addresses: Vec<_> = lookup_host(wanted.to_string()).await.with_context(context)?.collect();
        let mut bound = Vec::<TcpListener>::new();
        let mut absent = None;
        for mut address in addresses {
            if let Some(first) = bound.first() {
                // The port that the system chooses for the first address is the port of all.
                address.set_port(first.local_addr()?.port());
            }
            match TcpListener::bind(address).await {
                Ok(listener) => bound.push(listener),
                Err(error) if is_absent(&error) => absent = Some(error),
                Err(error) => return Err(error).with_context(context),
            }
        }
        match absent {
            _ if !bound.is_empty() => Ok(Self(bound)),
            Some(error) => Err(error).with_context(context),
            None => bail!("{setting} {wanted}: the name has no address"),
        }
    }

    /// The first of the addresses.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.0.first().ok_or(io::ErrorKind::NotConnected)?.local_addr()
    }

    /// Whether only this machine can connect.
    pub(crate) fn is_local(&self) -> bool {
        self.0.iter().all(|listener| listener.local_addr().is_ok_and(|address| address.ip().is_loopback()))
    }

    /// The next connection to any of them.
    pub(crate) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|context| {
            let ready = self.0.iter().map(|listener| listener.poll_accept(context)).find(Poll::is_ready);
            ready.unwrap_or(Poll::Pending)
        })
        .await
    }
}

/// Whether this machine does not have the address, as `::1` in a container without IPv6, though `localhost` has it.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || error.raw_os_error() == Some(AFNOSUPPORT)
}

/// `EAFNOSUPPORT` of Linux, for which the standard library has no kind.
const AFNOSUPPORT: i32 = 97;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_this_machine_and_the_usual_port() {
        for (text, meant) in [
            (":9000", "127.0.0.1:9000"),
            ("9000", "127.0.0.1:9000"),
            ("localhost:9000", "localhost:9000"),
            ("0.0.0.0", "0.0.0.0:7440"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("::", "[::]:7440"),
        ] {
            assert_eq!(text.parse::<ListenAddress>().unwrap().to_string(), meant);
        }
    }

    #[test]
    fn what_only_this_machine_reaches_is_told_without_a_look_at_names() {
        for (text, is) in [
            ("9000", true),
            ("127.9.0.1:1", true),
            ("[::1]:1", true),
            ("LOCALHOST:1", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("10.0.0.1:1", false),
            ("node1:1", false),
        ] {
            assert_eq!(text.parse::<ListenAddress>().unwrap().is_this_machine(), is, "{text}");
        }
    }

    #[tokio::test]
    async fn every_address_of_a_name_is_listened_on_at_one_port() {
        let listeners = Listeners::bind("--listen", &"localhost:0".parse().unwrap()).await.unwrap();
        assert!(listeners.is_local());
        let port = listeners.address().unwrap().port();
        let served: Vec<_> = listeners.0.iter().map(|listener| listener.local_addr().unwrap()).collect();
        assert!(served.iter().all(|address| address.port() == port), "{served:?}");
        for address in served {
            let (accepted, connected) = tokio::join!(listeners.accept(), TcpStream::connect(address));
            assert_eq!(accepted.unwrap().1, connected.unwrap().local_addr().unwrap());
        }
    }

    #[tokio::test]
    async fn a_port_that_is_taken_and_a_name_that_is_none_name_the_setting() {
        let taken = Listeners::bind("--listen", &"127.0.0.1:0".parse().unwrap()).await.unwrap();
        for text in
            [taken.address().unwrap().to_string(), "192.0.2.1:0".to_owned(), "no-such-host.invalid:1".to_owned()]
        {
            let error = Listeners::bind("--metrics-listen", &text.parse().unwrap()).await.err().unwrap();
            assert!(error.to_string().starts_with("--metrics-listen "), "{error}");
        }
    }
}
