//! A connection that is served, counted byte by byte, as calls write and read them.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::transport::server::Connected;

use crate::idle::Idle;
use crate::metrics::{Ending, Metrics};
use crate::peer::Peer;
use crate::transport::Transport;

/// An accepted connection.
pub(crate) struct Connection {
    /// Bytes that the peer has said already, and that are to be read again.
    said: io::Cursor<Vec<u8>>,
    stream: Transport,
    metrics: Arc<Metrics>,
    peer: Peer,
    idle: Idle,
    /// Is ready when this end closes the connection, as if the peer had hung up.
    closed: Pin<Box<WaitForCancellationFutureOwned>>,
    _place: Place,
}

/// A place among connections, which a gauge shows.
pub(crate) struct Place {
    taken: Gauge,
    _permit: OwnedSemaphorePermit,
}

// === impl Place ===

impl Place {
    pub(crate) fn new(permit: OwnedSemaphorePermit, taken: &Gauge) -> Self {
        taken.inc();
        Self { taken: taken.clone(), _permit: permit }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.taken.dec();
    }
}

// === impl Connection ===

impl Connection {
    /// The connection of a peer that has said this so far.
    pub(crate) fn new(stream: Transport, said: Vec<u8>, place: Place, metrics: &Arc<Metrics>, idle: Duration) -> Self {
        metrics.network_in.inc_by(said.len() as u64);
        let peer = Peer::of(stream.socket());
        let closed = Box::pin(peer.hung_up());
        let (said, metrics, idle) = (io::Cursor::new(said), Arc::clone(metrics), Idle::new(idle));
        Self { said, stream, metrics, peer, idle, closed, _place: place }
    }

    /// Closes the connection, as if the peer had hung up, once this is ready.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.closed.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        ready!(self.idle.poll(&self.peer, context));
        if let Some(connections) = self.metrics.endings.count(Ending::Idle) {
            tracing::info!(connections, "connections without a call for --idle-timeout were closed");
        }
        Poll::Ready(())
    }
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.said.position() < self.said.get_ref().len() as u64 {
            return Pin::new(&mut self.said).poll_read(cx, buf);
        }
        let before = buf.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(read) => read?,
            Poll::Pending => return self.poll_end(cx).map(Ok),
        }
        self.metrics.network_in.inc_by((buf.filled().len() - before) as u64);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, buf))?;
        self.metrics.network_out.inc_by(written as u64);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, bufs))?;
        self.metrics.network_out.inc_by(written as u64);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
