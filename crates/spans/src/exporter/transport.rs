//! How a message of spans gets to a collector.

use std::time::Duration;

use tokio::time::timeout;

use crate::exporter::fault::Fault;
use crate::exporter::grpc::Grpc;
use crate::exporter::http::Http;
use crate::proto::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use crate::settings::{Destination, Protocol};

/// How a message of spans gets to a collector.
pub(super) struct Transport {
    by: By,
    timeout: Duration,
}

enum By {
    Grpc(Box<Grpc>),
    Http(Box<Http>),
}

// === impl Transport ===

impl Transport {
    /// Connects to nothing yet.
    pub(super) fn new(destination: &Destination) -> Self {
        let by = match destination.endpoint.protocol {
            Protocol::Grpc => By::Grpc(Box::new(Grpc::new(destination))),
            Protocol::Http => By::Http(Box::new(Http::new(destination))),
        };
        Self { by, timeout: destination.timeout }
    }

    /// Sends a message once.
    pub(super) async fn send(&self, spans: &ExportTraceServiceRequest) -> Result<ExportTraceServiceResponse, Fault> {
        let sending = async {
            match &self.by {
                By::Grpc(grpc) => grpc.send(spans.clone()).await,
                By::Http(http) => http.send(spans).await,
            }
        };
        let silent = |_| Fault::passing(format!("it says nothing for {:?}", self.timeout));
        timeout(self.timeout, sending).await.map_err(silent)?
    }
}
