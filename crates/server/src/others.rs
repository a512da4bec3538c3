//! How this server reaches others: by TLS and with a token, where they ask for that.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use headwater_access::{ClientAccess, ClientStream};
use headwater_wire::{Bearer, BearerChannel};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tonic::codegen::{Service, http::Uri};
use tonic::transport::{Endpoint, Error};

/// How other servers are reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Others(ClientAccess);

/// Connects to one host.
#[derive(Clone, Debug)]
struct Connector {
    access: ClientAccess,
    /// What its certificate is for.
    host: String,
}

// === impl Others ===

impl Others {
    pub(crate) fn new(access: ClientAccess) -> Self {
        Self(access)
    }

    /// A channel to an endpoint that connects when it is used. The certificate there must be for this host.
    pub(crate) fn channel(&self, endpoint: &Endpoint, host: &str) -> BearerChannel {
        self.bearer().over(endpoint.connect_with_connector_lazy(self.connector(host)))
    }

    /// The same, connected.
    ///
    /// # Errors
    /// Nobody answers there, or somebody who is not trusted.
    pub(crate) async fn connect(&self, endpoint: &Endpoint, host: &str) -> Result<BearerChannel, Error> {
        Ok(self.bearer().over(endpoint.connect_with_connector(self.connector(host)).await?))
    }

    fn bearer(&self) -> Bearer {
        Bearer::new(self.0.token.clone())
    }

    fn connector(&self, host: &str) -> Connector {
        Connector { access: self.0.clone(), host: host.to_owned() }
    }
}

// === impl Connector ===

impl Connector {
    async fn connect(self, server: Uri) -> io::Result<TokioIo<ClientStream>> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let socket = connector.call(server).await.map_err(io::Error::other)?.into_inner();
        Ok(TokioIo::new(self.access.greet(&self.host, socket).await?))
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<ClientStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        Box::pin(self.clone().connect(server))
    }
}
