//! Who is at the other end of a connection: what a call knows of it.

use std::net::SocketAddr;

use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// The other end. Clones are of the same connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// `None` for one that was gone again.
    address: Option<SocketAddr>,
    ended: CancellationToken,
}

// === impl Peer ===

impl Peer {
    pub(crate) fn of(stream: &TcpStream) -> Self {
        Self::new(stream.peer_addr().ok())
    }

    pub(crate) fn new(address: Option<SocketAddr>) -> Self {
        Self { address, ended: CancellationToken::new() }
    }

    /// The client: a machine.
    pub(crate) fn client(&self) -> String {
        self.address.map(|address| address.ip().to_string()).unwrap_or_default()
    }

    /// The connection, among all.
    pub(crate) fn connection(&self) -> String {
        self.address.map(|address| address.to_string()).unwrap_or_default()
    }

    /// Whether it is the same connection.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.address == other.address
    }

    /// Ends the connection and all that is on it.
    pub(crate) fn hang_up(&self) {
        self.ended.cancel();
    }

    /// Comes once that was asked for.
    pub(crate) fn hung_up(&self) -> WaitForCancellationFutureOwned {
        self.ended.clone().cancelled_owned()
    }
}
