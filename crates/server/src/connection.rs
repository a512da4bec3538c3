//! A connection that is served, counted byte by byte.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tonic::transport::server::{Connected, TcpConnectInfo};

use crate::metrics::Metrics;

/// An accepted connection.
pub(crate) struct Connection {
    /// What the peer has said already, and is to be read again.
    said: io::Cursor<Vec<u8>>,
    stream: TcpStream,
    metrics: Arc<Metrics>,
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
    /// Of a peer that has said this so far.
    pub(crate) fn new(stream: TcpStream, said: Vec<u8>, place: Place, metrics: &Arc<Metrics>) -> Self {
        metrics.network_in.inc_by(said.len() as u64);
        Self { said: io::Cursor::new(said), stream, metrics: Arc::clone(metrics), _place: place }
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.said.position() < self.said.get_ref().len() as u64 {
            return Pin::new(&mut self.said).poll_read(cx, buf);
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
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
