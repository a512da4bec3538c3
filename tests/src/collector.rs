//! A collector of OpenTelemetry's, as far as tests need one: it keeps what comes over gRPC.
//!
//! Its messages are written down a second time, by the specification, and not taken from the crate that sends them.
//! `python/headwater/tests/test_traces.py` reads what comes over HTTP by OpenTelemetry's own types.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as Poller, Poll};

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

/// A collector on loopback.
pub struct Collector {
    address: SocketAddr,
    kept: Arc<Mutex<Vec<Export>>>,
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

#[derive(Clone)]
struct Keeper(Arc<Mutex<Vec<Export>>>);

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
        let service = Keeper(Arc::clone(&kept));
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
        let of = |request: &Export| {
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

    /// Why it failed; `None` where it did not.
    pub fn failure(&self) -> Option<&str> {
        let failed = self.span.status.as_ref().filter(|status| status.code == 2)?;
        Some(&failed.message)
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

impl NamedService for Keeper {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
}

impl Service<http::Request<Body>> for Keeper {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Poller<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let keeper = self.clone();
        Box::pin(async move {
            Ok(match request.uri().path().strip_suffix("/Export") {
                Some(_) => Grpc::new(ProstCodec::default()).unary(keeper, request).await,
                None => Status::unimplemented("only Export").into_http(),
            })
        })
    }
}

impl UnaryService<Export> for Keeper {
    type Response = Exported;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Exported>, Status>> + Send>>;

    fn call(&mut self, request: Request<Export>) -> Self::Future {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(request.into_inner());
        Box::pin(async { Ok(Response::new(Exported {})) })
    }
}

fn read(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.clone().unwrap_or_default() {
        AnyValue { text: Some(text), .. } => text,
        AnyValue { switch: Some(switch), .. } => switch.to_string(),
        AnyValue { number: Some(number), .. } => number.to_string(),
        AnyValue { quantity: Some(quantity), .. } => quantity.to_string(),
        AnyValue { .. } => "nothing".to_owned(),
    };
    attributes.iter().map(|attribute| (attribute.key.clone(), text(&attribute.value))).collect()
}

/// `ExportTraceServiceRequest`.
#[derive(Clone, PartialEq, prost::Message)]
struct Export {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

/// `ExportTraceServiceResponse`, without losses.
#[derive(Clone, PartialEq, prost::Message)]
struct Exported {}

#[derive(Clone, PartialEq, prost::Message)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ScopeSpans {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<Span>,
}

/// A span as it comes.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Span {
    /// The trace.
    #[prost(bytes = "vec", tag = "1")]
    pub trace_id: Vec<u8>,
    /// The span.
    #[prost(bytes = "vec", tag = "2")]
    pub span_id: Vec<u8>,
    /// Whose child it is; empty for the first of its trace.
    #[prost(bytes = "vec", tag = "4")]
    pub parent_span_id: Vec<u8>,
    /// Its name.
    #[prost(string, tag = "5")]
    pub name: String,
    /// When it began, in nanoseconds since 1970,
    #[prost(fixed64, tag = "7")]
    pub start_time_unix_nano: u64,
    /// and when it ended.
    #[prost(fixed64, tag = "8")]
    pub end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
    #[prost(message, repeated, tag = "11")]
    events: Vec<Event>,
    #[prost(message, optional, tag = "15")]
    status: Option<SpanStatus>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Event {
    #[prost(string, tag = "2")]
    name: String,
    #[prost(message, repeated, tag = "3")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SpanStatus {
    #[prost(string, tag = "2")]
    message: String,
    #[prost(int32, tag = "3")]
    code: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

/// One of these.
#[derive(Clone, PartialEq, prost::Message)]
struct AnyValue {
    #[prost(string, optional, tag = "1")]
    text: Option<String>,
    #[prost(bool, optional, tag = "2")]
    switch: Option<bool>,
    #[prost(int64, optional, tag = "3")]
    number: Option<i64>,
    #[prost(double, optional, tag = "4")]
    quantity: Option<f64>,
}
