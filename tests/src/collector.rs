//! A collector of OpenTelemetry's, as far as tests need one: it keeps what comes, read by OpenTelemetry's own types.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// A collector on loopback.
pub struct Collector {
    address: SocketAddr,
    kept: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    _runtime: Runtime,
}

/// A span that has come.
#[derive(Clone, Debug)]
pub struct Collected {
    /// Whose it is: `service.name`.
    pub service: String,
    /// The span.
    pub span: Span,
}

struct Keeper(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

// === impl Collector ===

impl Collector {
    /// Starts one.
    ///
    /// # Errors
    /// If it cannot listen.
    pub fn start() -> Result<Self> {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).context("a collector")?;
        let address = listener.local_addr()?;
        let service = TraceServiceServer::new(Keeper(Arc::clone(&kept)));
        let served = Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener));
        runtime.spawn(served);
        Ok(Self { address, kept, _runtime: runtime })
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` says of it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The spans that have come so far.
    pub fn spans(&self) -> Vec<Collected> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |request: &ExportTraceServiceRequest| {
            request
                .resource_spans
                .iter()
                .flat_map(|of| {
                    let resource = of.resource.as_ref().map(|resource| read(&resource.attributes)).unwrap_or_default();
                    let service = resource.get("service.name").cloned().unwrap_or_default();
                    let spans = of.scope_spans.iter().flat_map(|scope| scope.spans.iter().cloned());
                    spans.map(move |span| Collected { service: service.clone(), span }).collect::<Vec<_>>()
                })
                .collect::<Vec<_>>()
        };
        kept.iter().flat_map(of).collect()
    }

    /// All that has come, as text: for what must not be in it.
    pub fn text(&self) -> String {
        format!("{:?}", self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

// === impl Collected ===

impl Collected {
    /// The span's attributes, as text.
    pub fn attributes(&self) -> BTreeMap<String, String> {
        read(&self.span.attributes)
    }

    /// An attribute that is a number.
    ///
    /// # Errors
    /// If it is not there, or something else.
    pub fn number(&self, key: &str) -> Result<f64> {
        let attributes = self.attributes();
        let text = attributes.get(key).with_context(|| format!("no {key} among {attributes:?}"))?;
        text.parse().with_context(|| format!("{key} is {text}"))
    }
}

// === impl Keeper ===

#[tonic::async_trait]
impl TraceService for Keeper {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn read(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(quantity)) => quantity.to_string(),
        Some(Value::BoolValue(switch)) => switch.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(&attribute.value))).collect()
}
