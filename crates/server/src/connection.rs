//! Accepting connections: at most so many, each counted byte by byte.
//!
//! The permit travels inside the connection, so that closing it, however it ends, makes room for another.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::{Connected, TcpConnectInfo};

use crate::listen::{self, Listeners};
use crate::metrics::Metrics;

/// An accepted connection.
pub(crate) struct Connection {
    stream: TcpStream,
    metrics: Arc<Metrics>,
    /// Until the peer has said something: its silence ends when the server drains, which would wait for its first words.
    silent: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    _permit: OwnedSemaphorePermit,
}

/// Accepted connections, one after the other; waits while there are as many as allowed.
pub(crate) fn accept(
    listeners: Listeners,
    most: usize,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) -> impl Stream<Item = io::Result<Connection>> + Send {
    let room = Arc::new(Semaphore::new(most));
    futures::stream::unfold((listeners, room, metrics, stop), |(listeners, room, metrics, stop)| async move {
        let permit = Arc::clone(&room).acquire_owned().await.ok()?;
        let stream = loop {
            match listeners.accept().await {
                Ok((stream, _)) => break stream,
                Err(error) => listen::pause(&error).await,
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "could not set TCP_NODELAY");
        }
        metrics.connections.inc();
        let silent = Some(Box::pin(stop.clone().cancelled_owned()));
        let connection = Connection { stream, metrics: Arc::clone(&metrics), silent, _permit: permit };
        Some((Ok(connection), (listeners, room, metrics, stop)))
    })
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.metrics.connections.dec();
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
        let before = buf.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(read) => read?,
            Poll::Pending => {
                // As if the peer had hung up.
                let stopping = self.silent.as_mut();
                return stopping.map_or(Poll::Pending, |stopping| stopping.as_mut().poll(cx).map(Ok));
            }
        }
        self.silent = None;
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
