//! Connections to a collector: a socket, or TLS over one.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use headwater_access::{ClientAccess, ClientStream};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tonic::codegen::Service;
use tonic::codegen::http::Uri;

use crate::settings::Destination;

/// Connects to a collector.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    access: ClientAccess,
    host: String,
    timeout: Duration,
}

/// A connection to a collector.
#[derive(Debug)]
pub(super) struct Wire(ClientStream);

// === impl Connector ===

impl Connector {
    pub(super) fn new(destination: &Destination) -> Self {
        let Destination { endpoint, access, timeout, .. } = destination;
        Self { access: access.clone(), host: endpoint.host.clone(), timeout: *timeout }
    }

    async fn connect(self, collector: Uri) -> io::Result<TokioIo<Wire>> {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(self.timeout));
        connector.set_nodelay(true);
        let socket = connector.call(collector).await.map_err(io::Error::other)?.into_inner();
        Ok(TokioIo::new(Wire(self.access.greet(&self.host, socket).await?)))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Wire>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, collector: Uri) -> Self::Future {
        Box::pin(self.clone().connect(collector))
    }
}

// === impl Wire ===

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
