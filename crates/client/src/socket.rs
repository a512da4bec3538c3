//! Connections that say whether something is underway on them, and whose receiving may be limited by a [`Throttle`].
//!
//! The limit holds without any right over the network: what is not read fills the socket's buffer, and TCP stops the
//! server. That buffer is kept small, so that little is underway when nobody wants it any more.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::codegen::{Service, http::Uri};

use crate::address::ServerAddress;
use crate::arriving::Line;
use crate::frames::Frames;
use crate::throttle::{Share, Throttle};

/// What the socket may hold that was not read yet, as time of the link.
const SOCKET: Duration = Duration::from_millis(50);
/// And its bounds: below the first, TCP itself gets slow; above the second, nothing gets faster.
const SOCKET_BYTES: [u64; 2] = [64 << 10, 4 << 20];

/// Connects to one server. What tonic asks for is always the same address.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    address: ServerAddress,
    throttle: Option<Throttle>,
    line: Arc<Line>,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    frames: Frames,
    line: Arc<Line>,
    limit: Option<Limit>,
}

/// A connection's part of a limit.
#[derive(Debug)]
struct Limit {
    share: Share,
    wait: Pin<Box<Sleep>>,
}

// === impl Connector ===

impl Connector {
    pub(crate) fn new(address: ServerAddress, throttle: Option<Throttle>, line: Arc<Line>) -> Self {
        Self { address, throttle, line }
    }

    async fn connect(self) -> io::Result<TokioIo<Socket>> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the server's name has no address");
        for address in lookup_host(self.address.to_string()).await? {
            match self.connect_to(address).await {
                Ok(stream) => return Ok(TokioIo::new(stream)),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn connect_to(&self, address: SocketAddr) -> io::Result<Socket> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        if let Some(throttle) = &self.throttle {
            let [least, most] = SOCKET_BYTES;
            let buffer = throttle.bytes_in(SOCKET).get().clamp(least, most);
            socket.set_recv_buffer_size(u32::try_from(buffer).unwrap_or(u32::MAX))?;
        }
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        let limit = self.throttle.as_ref().map(Limit::new);
        Ok(Socket { stream, frames: Frames::default(), line: Arc::clone(&self.line), limit })
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Socket>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        Box::pin(self.clone().connect())
    }
}

// === impl Limit ===

impl Limit {
    fn new(throttle: &Throttle) -> Self {
        Self { share: throttle.share(), wait: Box::pin(sleep_until(Instant::now())) }
    }

    /// Most bytes to read now.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<usize> {
        loop {
            match self.share.may_read(context.waker()) {
                Ok(most) => return Poll::Ready(most),
                Err(due) => {
                    if self.wait.deadline() != due {
                        self.wait.as_mut().reset(due);
                    }
                    ready!(self.wait.as_mut().poll(context));
                }
            }
        }
    }
}

// === impl Socket ===

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = match &mut self.limit {
            Some(limit) => ready!(limit.poll(context)),
            None => usize::MAX,
        };
        let room = buffer.initialize_unfilled_to(most.min(buffer.remaining()));
        let mut part = ReadBuf::new(room);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut part))?;
        let was_within = self.frames.within_data();
        self.frames.pass(part.filled());
        let is_within = self.frames.within_data();
        if is_within != was_within {
            self.line.underway(is_within);
        }
        let read = part.filled().len();
        buffer.advance(read);
        if let Some(limit) = &mut self.limit {
            limit.share.have_read(read);
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.line.underway(false);
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
