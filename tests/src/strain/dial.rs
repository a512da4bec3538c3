//! Connections from an address of one's own, whose socket may be read slowly.
//!
//! All of 127.0.0.0/8 is this machine: readers from several of these addresses are several clients to a server.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::codegen::{Service, http::Uri};

/// What the kernel may hold for a reader: little, so that what a reader does not read is the server's soon.
const SOCKET_BUFFER: u32 = 64 << 10;
/// A slow reader reads so often.
const TURN: Duration = Duration::from_millis(100);

/// Connects from this address, and reads at most so many bytes a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dial {
    /// An address of this machine.
    pub(crate) from: Ipv4Addr,
    /// `None`: as fast as they come.
    pub(crate) bytes_per_second: Option<u64>,
}

/// A connection.
pub(crate) struct Socket {
    stream: TcpStream,
    bytes_per_second: Option<u64>,
    turn: Pin<Box<Sleep>>,
}

// === impl Dial ===

impl Dial {
    async fn connect(self, server: Uri) -> io::Result<TokioIo<Socket>> {
        let address: SocketAddr = server
            .authority()
            .and_then(|authority| authority.as_str().parse().ok())
            .ok_or_else(|| io::Error::other(format!("{server} has no address")))?;
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(SOCKET_BUFFER)?;
        socket.bind((self.from, 0).into())?;
        let stream = socket.connect(address).await?;
        let turn = Box::pin(sleep_until(Instant::now()));
        Ok(TokioIo::new(Socket { stream, bytes_per_second: self.bytes_per_second, turn }))
    }
}

impl Service<Uri> for Dial {
    type Response = TokioIo<Socket>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        Box::pin(self.connect(server))
    }
}

// === impl Socket ===

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(rate) = self.bytes_per_second else { return Pin::new(&mut self.stream).poll_read(context, buffer) };
        ready!(self.turn.as_mut().poll(context));
        let most = (rate as f64 * TURN.as_secs_f64()).ceil() as usize;
        let room = buffer.initialize_unfilled_to(most.min(buffer.remaining()));
        let mut part = ReadBuf::new(room);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut part))?;
        let read = part.filled().len();
        buffer.advance(read);
        self.turn.as_mut().reset(Instant::now() + Duration::from_secs_f64(read as f64 / rate as f64));
        Poll::Ready(Ok(()))
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
}
