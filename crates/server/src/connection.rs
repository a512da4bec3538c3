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

use crate::egress::{Egress, Outflow};
use crate::guests::Guests;
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
    /// Its part of what the server may send; `None` where that is not limited.
    outflow: Option<Outflow>,
    /// Is ready when this end closes the connection, as if the peer had hung up.
    closed: Pin<Box<WaitForCancellationFutureOwned>>,
    _place: Place,
    _seat: Option<Arc<()>>,
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
        Self { said, stream, metrics, peer, idle, outflow: None, closed, _place: place, _seat: None }
    }

    /// The connection as one of those that are served, which sends its part of what the server may send.
    pub(crate) fn admitted(self, guests: &Guests, egress: Option<&Egress>) -> Self {
        let (seat, outflow) = (guests.add(&self.peer), egress.map(|egress| egress.outflow(&self.peer)));
        Self { _seat: Some(seat), outflow, ..self }
    }

    /// Sends by `write`, as much as the connection may.
    fn poll_send(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut Transport>, &mut Context<'_>, usize) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let Self { stream, outflow, metrics, .. } = &mut *self;
        let stream = Pin::new(stream);
        let written = match outflow {
            None => ready!(write(stream, context, usize::MAX))?,
            Some(outflow) => ready!(outflow.poll(context, |context, most| write(stream, context, most)))?,
        };
        metrics.network_out.inc_by(written as u64);
        Poll::Ready(Ok(written))
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
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send(cx, |stream, cx, most| stream.poll_write(cx, &buf[..buf.len().min(most)]))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(cx, |stream, cx, most| match bufs.iter().map(|buf| buf.len()).sum::<usize>() <= most {
            true => stream.poll_write_vectored(cx, bufs),
            false => stream.poll_write_vectored(cx, &first_of(bufs, most)),
        })
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

/// The first so many bytes.
fn first_of<'b>(bufs: &'b [io::IoSlice<'_>], most: usize) -> Vec<io::IoSlice<'b>> {
    let mut left = most;
    let first = bufs.iter().filter(|buf| !buf.is_empty()).map(|buf| {
        let part = buf.len().min(left);
        left -= part;
        io::IoSlice::new(&buf[..part])
    });
    first.take_while(|buf| !buf.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_of_several_buffers_are_cut_off_where_the_turn_ends() {
        let bufs = [&b"head"[..], b"payload", b"more"].map(io::IoSlice::new);
        for (most, expected) in [(3, &b"hea"[..]), (4, b"head"), (6, b"headpa"), (15, b"headpayloadmore")] {
            let first = first_of(&bufs, most);
            assert_eq!(first.iter().flat_map(|buf| buf.iter().copied()).collect::<Vec<_>>(), expected);
        }
    }
}
