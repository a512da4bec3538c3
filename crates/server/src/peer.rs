//! The other end of a connection, as a call knows it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// The other end. Clones are of the same connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// `None` for a peer that was gone again.
    address: Option<SocketAddr>,
    is_local: bool,
    ended: CancellationToken,
    calls: Arc<Calls>,
}

/// The open calls of a connection.
#[derive(Debug)]
struct Calls(Mutex<Open>);

#[derive(Debug)]
struct Open {
    number: usize,
    /// When the last call ended, or the connection began.
    none_since: Instant,
}

/// A call is open until this is dropped.
#[derive(Debug)]
pub(crate) struct OpenCall(Arc<Calls>);

// === impl Peer ===

impl Peer {
    pub(crate) fn of(stream: &TcpStream) -> Self {
        let address = stream.peer_addr().ok();
        let ip = |address: Option<SocketAddr>| address.map(|address| address.ip().to_canonical());
        let own = ip(stream.local_addr().ok());
        let is_local = ip(address).is_some_and(|peer| peer.is_loopback() || Some(peer) == own);
        Self { is_local, ..Self::new(address) }
    }

    pub(crate) fn new(address: Option<SocketAddr>) -> Self {
        let calls = Calls(Mutex::new(Open { number: 0, none_since: Instant::now() }));
        Self { address, is_local: false, ended: CancellationToken::new(), calls: Arc::new(calls) }
    }

    /// Whether the peer is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.is_local
    }

    /// The client's name: the address of its machine.
    pub(crate) fn client(&self) -> String {
        self.address.map(|address| address.ip().to_string()).unwrap_or_default()
    }

    /// The connection's name: the address and port of the peer.
    pub(crate) fn connection(&self) -> String {
        self.address.map(|address| address.to_string()).unwrap_or_default()
    }

    /// Whether the other is the same connection.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.address == other.address
    }

    /// Begins a call on this connection.
    pub(crate) fn begin(&self) -> OpenCall {
        self.calls.open().number += 1;
        OpenCall(Arc::clone(&self.calls))
    }

    /// Since when no call is open; `None` while a call is open.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let open = self.calls.open();
        (open.number == 0).then_some(open.none_since)
    }

    /// Ends the connection and all that is on it.
    pub(crate) fn hang_up(&self) {
        self.ended.cancel();
    }

    /// Is ready once [`hang_up`](Self::hang_up) was called.
    pub(crate) fn hung_up(&self) -> WaitForCancellationFutureOwned {
        self.ended.clone().cancelled_owned()
    }
}

// === impl Calls ===

impl Calls {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let mut open = self.0.open();
        open.number -= 1;
        open.none_since = Instant::now();
    }
}
