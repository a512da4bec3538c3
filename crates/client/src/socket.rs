//! Connections that say whether something is underway on them, and whose receiving may be limited by a [`Throttle`].
//!
//! The limit holds without any right over the network: what is not read fills the socket's buffer, and TCP stops the
//! server. That buffer is kept small, so that little is underway when nobody wants it any more.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use headwater_access::{ClientAccess, ClientStream, TlsFault};
use headwater_wire::transport::CONNECT_TIMEOUT;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::codegen::{Service, http::Uri};

use crate::arriving::Line;
use crate::frames::Frames;
use crate::throttle::{Share, Throttle};

/// Bytes that the socket may hold unread, as time of the link.
const SOCKET: Duration = Duration::from_millis(50);
/// Bounds of the socket's buffer: below the first, TCP itself gets slow; above the second, nothing gets faster.
const SOCKET_BYTES: [u64; 2] = [64 << 10, 4 << 20];

/// Connects within a limit.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    throttle: Option<Throttle>,
    line: Arc<Line>,
    access: ClientAccess,
    /// What the server's certificate is for.
    host: String,
    refusal: Refusal,
}

/// Why the server does not trust this client, where it says so after the handshake: as TLS 1.3 has it, whoever calls
/// has begun by then, and hears of the connection's end alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusal(Arc<Mutex<Option<TlsFault>>>);

/// A connection.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: ClientStream,
    frames: Frames,
    line: Arc<Line>,
    limit: Option<Limit>,
    refusal: Refusal,
}

/// A connection's part of a limit.
#[derive(Debug)]
struct Limit {
    share: Share,
    wait: Pin<Box<Sleep>>,
}

// === impl Connector ===

impl Connector {
    pub(crate) fn new(
        throttle: Option<Throttle>,
        line: Arc<Line>,
        (access, host, refusal): (ClientAccess, String, Refusal),
    ) -> Self {
        Self { throttle, line, access, host, refusal }
    }

    /// To the first of the host's addresses that answers: IPv6 and IPv4 get a chance each (RFC 6555).
    async fn connect(self, server: Uri) -> io::Result<TokioIo<Socket>> {
        let mut connector = HttpConnector::new();
        if let Some(throttle) = &self.throttle {
            let [least, most] = SOCKET_BYTES;
            connector.set_recv_buffer_size(Some(throttle.bytes_in(SOCKET).get().clamp(least, most) as usize));
        }
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let socket = connector.call(server).await.map_err(io::Error::other)?.into_inner();
        let stream = self.access.greet(&self.host, socket).await?;
        let limit = self.throttle.as_ref().map(Limit::new);
        Ok(TokioIo::new(Socket {
            stream,
            frames: Frames::default(),
            line: Arc::clone(&self.line),
            limit,
            refusal: self.refusal,
        }))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Socket>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        Box::pin(self.clone().connect(server))
    }
}

// === impl Refusal ===

impl Refusal {
    /// Notes what an error says of it.
    fn note(&self, error: &io::Error) {
        if let Some(fault) = TlsFault::behind(error) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        }
    }

    /// What was said since it was last asked.
    pub(crate) fn take(&self) -> Option<TlsFault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
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
        let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut part));
        read.inspect_err(|error| self.refusal.note(error))?;
        let was_within = self.frames.within_data();
        self.frames.pass(part.filled());
        let is_within = self.frames.within_data();
        if is_within != was_within {
            self.line.underway(is_within);
        }
        let read = part.filled().len();
        self.line.has_read(read);
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
