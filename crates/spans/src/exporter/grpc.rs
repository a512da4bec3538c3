//! OTLP over gRPC.

use tonic::Request;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};

use crate::exporter::connector::Connector;
use crate::exporter::fault::Fault;
use crate::proto::trace_service_client::TraceServiceClient;
use crate::proto::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use crate::settings::Destination;

/// OTLP over gRPC, on one connection that is made when it is needed.
pub(super) struct Grpc {
    client: TraceServiceClient<Channel>,
    headers: MetadataMap,
}

// === impl Grpc ===

impl Grpc {
    pub(super) fn new(destination: &Destination) -> Self {
        let channel = Endpoint::from(destination.endpoint.uri.clone())
            .connect_timeout(destination.timeout)
            .connect_with_connector_lazy(Connector::new(destination));
        let headers = MetadataMap::from_headers(destination.headers.clone());
        Self { client: TraceServiceClient::new(channel), headers }
    }

    pub(super) async fn send(&self, spans: ExportTraceServiceRequest) -> Result<ExportTraceServiceResponse, Fault> {
        let mut request = Request::new(spans);
        *request.metadata_mut() = self.headers.clone();
        let answer = self.client.clone().export(request).await;
        answer.map(tonic::Response::into_inner).map_err(|status| Fault::of_status(&status))
    }
}
