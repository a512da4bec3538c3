//! The metrics port: `/metrics` for Prometheus, `/livez` (also `/healthz`) and `/readyz` for supervisors of the
//! process, and for people a [page] at `/`, which asks for `/status.json` once a second.
//!
//! Metrics and status are for those alone who may read. The page is for everybody: it has no word of the server's, and
//! asks for a token where one is wanted.
//!
//! The port answers from the start, before there is anything to serve: `/readyz` then says what the server is doing. A
//! connection is for one request and must be done with it soon. Where there are too many connections, the oldest makes
//! way, so that no slow or silent peer keeps a probe from its answer.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use headwater_access::Grant;
use headwater_types::ByteCount;
use headwater_types::caps::{METRICS_CONNECTIONS, METRICS_TIMEOUT};
use headwater_wire::transport::METRICS_PORT;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::gate::{Gate, may_read};
use crate::life::{Life, Phase};
use crate::listen::Listeners;
use crate::metrics::{Ending, Metrics};
use crate::status::{Fixed, Status};
use crate::transport::Transport;
use crate::{page, reception};

/// OpenMetrics' own type.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the port shows.
#[derive(Clone)]
pub(crate) struct Exported {
    pub(crate) life: Arc<Life>,
    pub(crate) metrics: Arc<Metrics>,
    /// Who may see it.
    pub(crate) gate: Arc<Gate>,
    /// Where gRPC is served, also for clients that have mistaken this port for it, and what else does not change.
    pub(crate) fixed: Arc<Fixed>,
}

/// Who reads, where that is asked for.
#[derive(Clone)]
struct Reader(Option<Arc<Grant>>);

/// Answers until `end` is cancelled.
pub(crate) async fn export(listeners: Listeners, exported: Exported, end: CancellationToken) {
    let (counting, gate) = (Arc::clone(&exported.metrics), Arc::clone(&exported.gate));
    let name = HeaderValue::from_str(&exported.fixed.serving).unwrap_or(HeaderValue::from_static(""));
    let named = middleware::from_fn(move |request: Request, next: Next| {
        let name = name.clone();
        async move {
            let mut response = next.run(request).await;
            response.headers_mut().insert(METRICS_PORT, name);
            response
        }
    });
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/status.json", get(status))
        .route_layer(middleware::from_fn_with_state(exported.clone(), for_readers))
        .route("/", get(page::page))
        .route("/livez", get(async || "ok\n"))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .layer(named)
        .with_state(exported);
    let greet = |stream| answer(stream, router.clone(), (Arc::clone(&gate), Arc::clone(&counting)));
    reception::receive(listeners, METRICS_CONNECTIONS, &counting.endings, end, greet).await;
}

/// Answers the one request of a connection.
async fn answer(stream: TcpStream, router: Router, (gate, metrics): (Arc<Gate>, Arc<Metrics>)) {
    let mut server = auto::Builder::new(TokioExecutor::new()).http1_only();
    server.http1().keep_alive(false);
    let answering = async {
        let stream = match &gate.metrics_tls {
            None => Transport::Plain(stream),
            Some(tls) => Transport::Tls(Box::new(tls.accept(stream).await?)),
        };
        server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)).await
    };
    match timeout(METRICS_TIMEOUT, answering).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection to the metrics port broke"),
        Err(_elapsed) => {
            if let Some(connections) = metrics.endings.count(Ending::Slow) {
                let limit_seconds = METRICS_TIMEOUT.as_secs_f64();
                tracing::warn!(
                    connections,
                    limit_seconds,
                    "connections to the metrics port took too long and were closed"
                );
            }
        }
    }
}

/// Lets those alone pass who may read.
async fn for_readers(State(exported): State<Exported>, mut request: Request, next: Next) -> Response {
    match may_read(&exported.gate, request.headers()).await {
        Ok(grant) => {
            request.extensions_mut().insert(Reader(grant.map(Arc::new)));
            next.run(request).await
        }
        Err(refusal) => {
            let wanted = [(header::WWW_AUTHENTICATE, "Bearer")];
            (StatusCode::UNAUTHORIZED, wanted, format!("{refusal}\n")).into_response()
        }
    }
}

/// What the server is doing, as far as the reader may see it.
async fn status(State(exported): State<Exported>, Extension(Reader(grant)): Extension<Reader>) -> Response {
    let shows = |dataset: &str| grant.as_ref().is_none_or(|grant| grant.covers(dataset));
    let status = Status::now(&exported.fixed, (&exported.life, &exported.metrics), shows);
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    match serde_json::to_vec(&status) {
        Ok(json) => (headers, json).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn metrics(State(exported): State<Exported>) -> Response {
    let memory = exported.life.house().map_or_else(|_| ByteCount::default(), |house| house.resources.memory_in_use());
    match exported.metrics.encode(memory) {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn ready(State(exported): State<Exported>) -> (StatusCode, String) {
    let phase = exported.life.phase();
    let status = match phase {
        Phase::Serving(_) => StatusCode::OK,
        Phase::Starting(_) | Phase::Draining => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, format!("{phase}\n"))
}
