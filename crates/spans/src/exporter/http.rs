//! OTLP over HTTP: HTTP/1.1 in plain text, HTTP/2 by TLS.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use prost::Message;
use tonic::codegen::http::{HeaderMap, HeaderValue, Method, Request, Uri, header};

use crate::exporter::connector::Connector;
use crate::exporter::fault::Fault;
use crate::proto::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use crate::settings::Destination;

/// OTLP over HTTP.
pub(super) struct Http {
    client: Client<Connector, Full<Bytes>>,
    uri: Uri,
    headers: HeaderMap,
}

/// Most bytes of an answer, which is a number and a sentence.
const MOST_ANSWER: usize = 64 << 10;

// === impl Http ===

impl Http {
    pub(super) fn new(destination: &Destination) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .http2_only(destination.endpoint.is_secure)
            .build(Connector::new(destination));
        let mut headers = destination.headers.clone();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        Self { client, uri: destination.endpoint.uri.clone(), headers }
    }

    pub(super) async fn send(&self, spans: &ExportTraceServiceRequest) -> Result<ExportTraceServiceResponse, Fault> {
        let mut request = Request::new(Full::from(spans.encode_to_vec()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        let response = self.client.request(request).await.map_err(|error| Fault::of(&error))?;
        let status = response.status();
        if !status.is_success() {
            let words = format!("it answers {status}");
            return Err(match status.as_u16() {
                429 | 502 | 503 | 504 => Fault::passing(words),
                _ => Fault::lasting(words),
            });
        }
        let body = Limited::new(response.into_body(), MOST_ANSWER).collect().await;
        let body = body.map_err(|error| Fault::lasting(format!("its answer cannot be read: {error}")))?.to_bytes();
        ExportTraceServiceResponse::decode(body)
            .map_err(|error| Fault::lasting(format!("its answer is not that of a collector: {error}")))
    }
}
